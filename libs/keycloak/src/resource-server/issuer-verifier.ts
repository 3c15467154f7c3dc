/** IssuerVerifier: from the text of a token of one issuer to the proof that it is good for this service, now. */
import type { CachedIntrospection } from '../authorization-server/cached-introspection.js';
import type { Clock } from '../caching/clock.js';
import { RecentDigests } from '../caching/recent-digests.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import { tokenHash } from '../protocol/token-hash.js';
import type { TokenProfile } from '../protocol/token-profile.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { HeldDenials } from '../revocation/held-denials.js';
import { checkBearerToken, type BearerRequest } from './bearer-token.js';
import {
  judgeAccessToken,
  type ClaimsSource,
  type JudgeOptions,
  type PermissionContext,
} from './judge-access-token.js';
import type { ConnectedJwtVerification, SignedClaims } from './jwt-verification.js';
import { addHint, type Skew } from './token-hints.js';
import { ANY_ANSWER, NO_ANSWER_NEEDED } from './verification.js';

export interface IssuerVerifierOptions extends JudgeOptions {
  /** Of its tokens, those that meet a demand; undefined for all. */
  readonly acceptedAcr?: readonly string[] | undefined;
  /** What was measured of our clock, for the log. */
  readonly clockSkew?: { readonly measured: Skew | undefined };
}

/** What checks signatures, and which tokens must be asked about all the same. */
export interface VerifierOfJwts {
  readonly signatures: Pick<ConnectedJwtVerification, 'verify'>;
  readonly doubts: { include(claims: SignedClaims, hash: string): boolean };
}

/** One for each issuer: answers, signatures and what is remembered of tokens are of that issuer alone. */
export class IssuerVerifier {
  readonly #withoutPermissions: IssuerVerifierOptions;
  /** Of tokens that were used again a moment ago. */
  readonly #recentHashes = new RecentDigests();

  constructor(
    private readonly introspection: Pick<CachedIntrospection, 'introspect'>,
    private readonly options: IssuerVerifierOptions,
    private readonly clock: Clock,
    private readonly denials: Pick<HeldDenials, 'denies' | 'leavesOpen'>,
    /** Undefined where each token is introspected. */
    private readonly jwts?: VerifierOfJwts | undefined,
  ) {
    this.#withoutPermissions = { ...options, permissions: undefined };
  }

  get issuer(): string {
    return this.options.issuer;
  }

  get acceptedAcr(): readonly string[] | undefined {
    return this.options.acceptedAcr;
  }

  get profile(): TokenProfile {
    return this.options.profile;
  }

  /** Whether signatures are checked here. */
  get checksSignatures(): boolean {
    return this.jwts !== undefined;
  }

  /** Whether this very text was found good here, and used again, a moment ago. */
  recalls(text: string): boolean {
    return this.#recentHashes.recall(text) !== undefined;
  }

  /**
   * Verifies and judges, at once where the answer or the signature is cached. The text is hashed once, and only when it has the form of a token: what
   * has not is refused before it costs a call or becomes a key. `maxStalenessSeconds` is a `demandedStaleness()`.
   */
  verify(
    text: string,
    maxStalenessSeconds: number,
    kind?: string,
    request?: BearerRequest,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    // Made for those alone who look at it (perf: guard-overhead).
    const isLookedAt = this.options.permissions !== undefined && kind !== undefined && request !== undefined;
    const context = isLookedAt ? { kind, request } : undefined;
    return this.#verified(text, maxStalenessSeconds, this.options, context);
  }

  /** `verify` of a token whose permissions nobody looks at. */
  verifyAnew(text: string, maxStalenessSeconds: number): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    return this.#verified(text, maxStalenessSeconds, this.#withoutPermissions);
  }

  #verified(
    text: string,
    maxStalenessSeconds: number,
    options: IssuerVerifierOptions,
    context?: PermissionContext,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    const recentHash = this.#recentHashes.recall(text);
    if (recentHash === undefined) checkBearerToken(text, this.options.profile);
    const hash = recentHash ?? tokenHash(text);
    const jwts = maxStalenessSeconds === NO_ANSWER_NEEDED ? this.jwts : undefined;
    const claims = jwts?.signatures.verify(text, hash);
    if (jwts === undefined || claims === undefined) {
      return this.#introspected(text, hash, maxStalenessSeconds, options, context, recentHash === undefined);
    }
    if (claims instanceof Promise) return this.#signedLater(jwts, text, hash, claims, options, context);
    if (recentHash === undefined) this.#recentHashes.remember(text, hash);
    return this.#signed(jwts, text, hash, claims, options, context);
  }

  #introspected(
    text: string,
    hash: string,
    maxStalenessSeconds: number,
    options: IssuerVerifierOptions,
    context: PermissionContext | undefined,
    isNew = false,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    const answer = this.introspection.introspect(text, maxStalenessSeconds, hash);
    if (answer instanceof Promise) {
      return answer.then((answered) => this.#judge(text, hash, 'introspection', answered, options, context));
    }
    // Only what was cached comes again; junk must not push it out.
    if (isNew && answer['active'] === true) this.#recentHashes.remember(text, hash);
    return this.#judge(text, hash, 'introspection', answer, options, context);
  }

  async #signedLater(
    jwts: VerifierOfJwts,
    text: string,
    hash: string,
    verifying: Promise<SignedClaims>,
    options: IssuerVerifierOptions,
    context: PermissionContext | undefined,
  ): Promise<VerifiedAccessToken> {
    let claims;
    try {
      claims = await verifying;
    } catch (error) {
      throw this.#hinted(error, text, 'signature', options);
    }
    return this.#signed(jwts, text, hash, claims, options, context);
  }

  /** By its signature; or by an answer, where that may say what the signature can't. That is for the state of this service to say, and not for the token. */
  #signed(
    { doubts }: VerifierOfJwts,
    text: string,
    hash: string,
    claims: SignedClaims,
    options: IssuerVerifierOptions,
    context: PermissionContext | undefined,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    return doubts.include(claims, hash) || this.denials.leavesOpen(claims)
      ? this.#introspected(text, hash, ANY_ANSWER, options, context)
      : this.#judge(text, hash, 'signature', claims, options, context);
  }

  #judge(
    text: string,
    hash: string,
    source: ClaimsSource,
    claims: IntrospectionAnswer | SignedClaims,
    options: IssuerVerifierOptions,
    context: PermissionContext | undefined,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    try {
      return judgeAccessToken(text, source, claims, options, this.clock, this.denials, hash, context);
    } catch (error) {
      throw this.#hinted(error, text, source, options);
    }
  }

  #hinted(error: unknown, text: string, source: ClaimsSource, options: IssuerVerifierOptions): unknown {
    if (!(error instanceof BearerError)) return error;
    return addHint(error, text, {
      ...options,
      source,
      nowSeconds: this.clock.epochSeconds(),
      skew: options.clockSkew?.measured,
    });
  }
}

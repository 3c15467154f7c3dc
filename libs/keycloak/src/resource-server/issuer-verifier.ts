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
import { AccessTokenJudge, type ClaimsSource, type JudgeOptions, type PresentedToken } from './judge-access-token.js';
import type { ConnectedJwtVerification, SignedClaims } from './jwt-verification.js';
import type { PermissionMapper } from './permission-mapper.js';
import { addHint, type Skew } from './token-hints.js';
import { ANY_ANSWER, NO_ANSWER_NEEDED } from './verification.js';

export interface IssuerVerifierOptions extends JudgeOptions {
  readonly mapPermissions: PermissionMapper | undefined;
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

/** A token, and how old the introspection result may be. */
interface TokenToVerify extends PresentedToken {
  /** A `demandedStaleness()`. */
  readonly maxStalenessSeconds: number;
  /** Whether its hash is not among the recent ones. */
  readonly isNew: boolean;
}

/** One for each issuer: answers, signatures and what is remembered of tokens are of that issuer alone. */
export class IssuerVerifier {
  // A `private` of TypeScript could be assigned at run time, and then any token would be found active.
  readonly #introspection: Pick<CachedIntrospection, 'introspect'>;
  readonly #options: IssuerVerifierOptions;
  readonly #clock: Clock;
  readonly #denials: Pick<HeldDenials, 'denies' | 'leavesOpen'>;
  readonly #jwts: VerifierOfJwts | undefined;
  readonly #judge: AccessTokenJudge;
  /** Of tokens that were used again a moment ago. */
  readonly #recentHashes = new RecentDigests();

  constructor(
    introspection: Pick<CachedIntrospection, 'introspect'>,
    options: IssuerVerifierOptions,
    clock: Clock,
    denials: Pick<HeldDenials, 'denies' | 'leavesOpen'>,
    /** Undefined where each token is introspected. */
    jwts?: VerifierOfJwts | undefined,
  ) {
    this.#introspection = introspection;
    this.#options = options;
    this.#clock = clock;
    this.#denials = denials;
    this.#jwts = jwts;
    this.#judge = new AccessTokenJudge(options, clock, denials);
    Object.freeze(this);
  }

  get issuer(): string {
    return this.#options.issuer;
  }

  get acceptedAcr(): readonly string[] | undefined {
    return this.#options.acceptedAcr;
  }

  get profile(): TokenProfile {
    return this.#options.profile;
  }

  /** Whether signatures are checked here. */
  get checksSignatures(): boolean {
    return this.#jwts !== undefined;
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
    asksForPermissions = true,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    const recentHash = this.#recentHashes.recall(text);
    const isNew = recentHash === undefined;
    if (isNew) checkBearerToken(text, this.#options.profile);
    const hash = recentHash ?? tokenHash(text);
    const mapPermissions = asksForPermissions ? this.#options.mapPermissions : undefined;
    // Made for those alone who look at it (perf: guard-overhead).
    const isLookedAt = mapPermissions !== undefined && kind !== undefined && request !== undefined;
    const context = isLookedAt ? { kind, request } : undefined;
    const token: TokenToVerify = { text, hash, isNew, maxStalenessSeconds, mapPermissions, context };
    return this.#jwts !== undefined && maxStalenessSeconds === NO_ANSWER_NEEDED
      ? this.#bySignature(token, this.#jwts)
      : this.#byAnswer(token);
  }

  /** `verify` of a token whose permissions nobody looks at. */
  verifyAnew(text: string, maxStalenessSeconds: number): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    return this.verify(text, maxStalenessSeconds, undefined, undefined, false);
  }

  #byAnswer(token: TokenToVerify): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    const { text, hash, isNew, maxStalenessSeconds } = token;
    const answer = this.#introspection.introspect(text, maxStalenessSeconds, hash);
    if (answer instanceof Promise) return answer.then((answered) => this.#judged(token, 'introspection', answered));
    // Only what was cached comes again; junk must not push it out.
    if (isNew && answer['active'] === true) this.#recentHashes.remember(text, hash);
    return this.#judged(token, 'introspection', answer);
  }

  #bySignature(token: TokenToVerify, jwts: VerifierOfJwts): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    const { text, hash, isNew } = token;
    const claims = jwts.signatures.verify(text, hash);
    if (claims === undefined) return this.#byAnswer(token);
    if (claims instanceof Promise) return this.#signedLater(token, jwts, claims);
    if (isNew) this.#recentHashes.remember(text, hash);
    return this.#signed(token, jwts, claims);
  }

  async #signedLater(
    token: TokenToVerify,
    jwts: VerifierOfJwts,
    verifying: Promise<SignedClaims>,
  ): Promise<VerifiedAccessToken> {
    let claims;
    try {
      claims = await verifying;
    } catch (error) {
      throw this.#hinted(error, token.text, 'signature');
    }
    return this.#signed(token, jwts, claims);
  }

  /** By its signature; or by an answer, where that may say what the signature can't. That is for the state of this service to say, and not for the token. */
  #signed(
    token: TokenToVerify,
    { doubts }: VerifierOfJwts,
    claims: SignedClaims,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    return doubts.include(claims, token.hash) || this.#denials.leavesOpen(claims)
      ? this.#byAnswer({ ...token, isNew: false, maxStalenessSeconds: ANY_ANSWER })
      : this.#judged(token, 'signature', claims);
  }

  #judged(
    token: TokenToVerify,
    source: ClaimsSource,
    claims: IntrospectionAnswer | SignedClaims,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    try {
      return this.#judge.judge(token, source, claims);
    } catch (error) {
      throw this.#hinted(error, token.text, source);
    }
  }

  #hinted(error: unknown, text: string, source: ClaimsSource): unknown {
    if (!(error instanceof BearerError)) return error;
    return addHint(error, text, {
      ...this.#options,
      source,
      nowSeconds: this.#clock.epochSeconds(),
      skew: this.#options.clockSkew?.measured,
    });
  }
}

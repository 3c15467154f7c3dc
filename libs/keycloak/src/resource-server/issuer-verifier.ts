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
  ClaimsVerifier,
  type ClaimsSource,
  type ClaimsVerifierOptions,
  type PresentedToken,
} from './claims-verifier.js';
import type { ConnectedJwtVerification, SignedClaims } from './jwt-verification.js';
import type { PermissionMapper } from './permission-mapper.js';
import { addHint, type Skew } from './token-hints.js';
import { ANY_ANSWER, NO_ANSWER_NEEDED } from './verification.js';

export interface IssuerVerifierOptions extends ClaimsVerifierOptions {
  readonly mapPermissions: PermissionMapper | undefined;
  readonly acceptedAcr?: readonly string[] | undefined;
  readonly clockSkew?: { readonly measured: Skew | undefined };
}

export interface VerifierOfJwts {
  readonly signatures: Pick<ConnectedJwtVerification, 'verify'>;
  readonly doubts: { include(claims: SignedClaims, hash: string): boolean };
}

interface TokenToVerify extends PresentedToken {
  readonly maxStalenessSeconds: number;
  readonly isNew: boolean;
}

export class IssuerVerifier {
  // The fields use `#`, because code that bypasses TypeScript's `private` could make any token valid.
  readonly #introspection: Pick<CachedIntrospection, 'introspect'>;
  readonly #options: IssuerVerifierOptions;
  readonly #clock: Clock;
  readonly #denials: Pick<HeldDenials, 'denies' | 'leavesOpen'>;
  readonly #jwts: VerifierOfJwts | undefined;
  readonly #claims: ClaimsVerifier;
  readonly #recentHashes = new RecentDigests();

  constructor(
    introspection: Pick<CachedIntrospection, 'introspect'>,
    options: IssuerVerifierOptions,
    clock: Clock,
    denials: Pick<HeldDenials, 'denies' | 'leavesOpen'>,
    jwts?: VerifierOfJwts | undefined,
  ) {
    this.#introspection = introspection;
    this.#options = options;
    this.#clock = clock;
    this.#denials = denials;
    this.#jwts = jwts;
    this.#claims = new ClaimsVerifier(options, clock, denials);
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

  get mapsPermissions(): boolean {
    return this.#options.mapPermissions !== undefined;
  }

  get checksSignatures(): boolean {
    return this.#jwts !== undefined;
  }

  recalls(text: string): boolean {
    return this.#recentHashes.recall(text) !== undefined;
  }

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
    // Creates the context only if there is a mapper (perf: guard-overhead).
    const isLookedAt = mapPermissions !== undefined && kind !== undefined && request !== undefined;
    const context = isLookedAt ? { kind, request } : undefined;
    const token: TokenToVerify = { text, hash, isNew, maxStalenessSeconds, mapPermissions, context };
    return this.#jwts !== undefined && maxStalenessSeconds === NO_ANSWER_NEEDED
      ? this.#bySignature(token, this.#jwts)
      : this.#byAnswer(token);
  }

  verifyAnew(text: string, maxStalenessSeconds: number): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    return this.verify(text, maxStalenessSeconds, undefined, undefined, false);
  }

  #byAnswer(token: TokenToVerify): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    const { text, hash, isNew, maxStalenessSeconds } = token;
    const answer = this.#introspection.introspect(text, maxStalenessSeconds, hash);
    if (answer instanceof Promise)
      return answer.then((answered) => this.#verifyClaims(token, 'introspection', answered));
    // Remembers only tokens with a cached result, so that invalid tokens can't evict valid tokens.
    if (isNew && answer['active'] === true) this.#recentHashes.remember(text, hash);
    return this.#verifyClaims(token, 'introspection', answer);
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

  /** Accepts the signature, unless a recheck, a denial or a feed gap requires introspection. */
  #signed(
    token: TokenToVerify,
    { doubts }: VerifierOfJwts,
    claims: SignedClaims,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    return doubts.include(claims, token.hash) || this.#denials.leavesOpen(claims)
      ? this.#byAnswer({ ...token, isNew: false, maxStalenessSeconds: ANY_ANSWER })
      : this.#verifyClaims(token, 'signature', claims);
  }

  #verifyClaims(
    token: TokenToVerify,
    source: ClaimsSource,
    claims: IntrospectionAnswer | SignedClaims,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    try {
      return this.#claims.verify(token, source, claims);
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

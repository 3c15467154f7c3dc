/** AccessTokenVerifier: from the text of a token to the proof that it is good for this service, now. */
import type { CachedIntrospection } from '../authorization-server/cached-introspection.js';
import type { Clock } from '../caching/clock.js';
import { RecentDigests } from '../caching/recent-digests.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { AuthenticationDemand } from '../protocol/authentication-demand.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import { tokenHash } from '../protocol/token-hash.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { RevocationList } from '../revocation/revocation-list.js';
import { authenticationDemand, type AuthenticationRequirement } from './authentication-requirement.js';
import { checkBearerToken, type BearerRequest } from './bearer-token.js';
import {
  judgeAccessToken,
  type ClaimsSource,
  type JudgeOptions,
  type PermissionContext,
} from './judge-access-token.js';
import type { ConnectedJwtVerification, SignedClaims } from './jwt-verification.js';
import { addHint, type Skew } from './token-hints.js';
import { judgeAuthentication } from './judge-authentication.js';
import { ANY_ANSWER, demandedStaleness, NO_ANSWER_NEEDED, type TokenVerification } from './verification.js';

export interface VerifierOptions extends JudgeOptions {
  readonly maxTokenBytes: number;
  /** How tokens are verified where nobody says it. Default `introspection`. */
  readonly verification?: TokenVerification;
  /** What was measured of our clock, for the log. */
  readonly clockSkew?: { readonly measured: Skew | undefined };
}

/** What checks signatures, and which tokens must be asked about all the same. */
export interface VerifierOfJwts {
  readonly signatures: Pick<ConnectedJwtVerification, 'verify'>;
  readonly doubts: { include(claims: SignedClaims, hash: string): boolean };
}

type Parts = readonly [
  introspection: Pick<CachedIntrospection, 'introspect'>,
  options: VerifierOptions,
  clock: Clock,
  revocations: Pick<RevocationList, 'denies'>,
  /** Undefined where each token is introspected. */
  jwts?: VerifierOfJwts | undefined,
];

let make: (...parts: Parts) => AccessTokenVerifier;

/** The maker of a verifier decides what is found active, which is as much as to make a token. */
const MAKER = Symbol('maker');

export interface VerifyOptions {
  /** How old the server's word on the token may be, at most `introspectionTtlSeconds`; 0 asks. The token is introspected then. Default: that option. */
  readonly maxStalenessSeconds?: number;
  /** How the token is verified, as `@Verification()` has it. Default: the option `verification` of the module. */
  readonly verification?: TokenVerification;
}

/**
 * For access tokens that this service itself holds for a user: those of a session, in a backend for frontend. It is NOT for
 * tokens taken from elsewhere in a request (a cookie, the query, a body): what a caller sends is the guard's, by the
 * route's decorators. It does not look at permissions either: ask `hasPermission()` of what it gives, and `requireAuthentication()` for a login
 * that is strong or recent enough.
 */
export class AccessTokenVerifier {
  static {
    make = (...parts) => new AccessTokenVerifier(MAKER, ...parts);
  }

  // What is private in the types alone could be assigned, and with it what is found active.
  readonly #introspection: Parts[0];
  readonly #options: Parts[1];
  readonly #withoutPermissions: Parts[1];
  readonly #clock: Parts[2];
  readonly #revocations: Parts[3];
  readonly #jwts: Parts[4];
  /** Of tokens that were used again a moment ago. */
  readonly #recentHashes = new RecentDigests();

  private constructor(maker: symbol, ...[introspection, options, clock, revocations, jwts]: Parts) {
    if (maker !== MAKER) throw new TypeError('An AccessTokenVerifier is made by KeycloakModule alone: inject it');
    this.#introspection = introspection;
    this.#options = options;
    this.#withoutPermissions = { ...options, permissions: undefined };
    this.#clock = clock;
    this.#revocations = revocations;
    this.#jwts = jwts;
  }

  /**
   * Introspects the token or checks its signature, or reuses what is cached of that as the guard does, and judges its claims.
   *
   * Throws `BearerError` `invalid_token` (or `invalid_request` for a text that has blanks), and `AuthorizationServerError`
   * when the authorization server gave no answer, or its keys can't be had. Throws `TypeError` for `verification: 'jwt'` in a module without the option `jwt`.
   */
  async verify(text: string, { maxStalenessSeconds, verification }: VerifyOptions = {}): Promise<VerifiedAccessToken> {
    if (verification === 'jwt' && this.#jwts === undefined) {
      throw new TypeError("Nothing here checks signatures: verification 'jwt' needs forRoot({ jwt })");
    }
    if (text.length > this.#options.maxTokenBytes) {
      throw new BearerError('invalid_token', { reason: 'token_too_long' });
    }
    const { verification: byDefault = 'introspection' } = this.#options;
    return this.judge(text, demandedStaleness({ maxStalenessSeconds, verification }, byDefault));
  }

  /**
   * As `@RequireAuthentication` does: throws `BearerError` `insufficient_user_authentication` unless the user of the token has logged in so strongly or
   * recently. Throws `TypeError` for a faulty requirement.
   */
  requireAuthentication(token: VerifiedAccessToken, requirement: AuthenticationRequirement): void {
    this.judgeAuthentication(token, authenticationDemand('requireAuthentication', requirement));
  }

  /** For `authorize`: the demand is made once. Also of a token whose answer was cached, by the time of now. @internal */
  judgeAuthentication(token: VerifiedAccessToken, demand: AuthenticationDemand): void {
    judgeAuthentication(token, demand, this.#clock.epochSeconds(), this.#options.clockToleranceSeconds);
  }

  /**
   * For the guard: `verify` for a text that is not too long, at once where the answer or the signature is cached. The text is hashed once, and
   * only when it has the form of a token: what has not is refused before it costs a call or becomes a key. `maxStalenessSeconds` is a
   * `demandedStaleness()`. @internal
   */
  judge(
    text: string,
    maxStalenessSeconds: number,
    kind?: string,
    request?: BearerRequest,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    // Made for those alone who look at it (perf: guard-overhead).
    const isLookedAt = this.#options.permissions !== undefined && kind !== undefined && request !== undefined;
    const context = isLookedAt ? { kind, request } : undefined;
    return this.#verified(text, maxStalenessSeconds, this.#options, context);
  }

  /** `judge` for a connection that is open: whether its token is still good, whatever it permits. @internal */
  judgeAnew(text: string, maxStalenessSeconds: number): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    return this.#verified(text, maxStalenessSeconds, this.#withoutPermissions);
  }

  #verified(
    text: string,
    maxStalenessSeconds: number,
    options: VerifierOptions,
    context?: PermissionContext,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    const recentHash = this.#recentHashes.recall(text);
    if (recentHash === undefined) checkBearerToken(text, this.#options.profile);
    const hash = recentHash ?? tokenHash(text);
    const jwts = maxStalenessSeconds === NO_ANSWER_NEEDED ? this.#jwts : undefined;
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
    options: VerifierOptions,
    context: PermissionContext | undefined,
    isNew = false,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    const answer = this.#introspection.introspect(text, maxStalenessSeconds, hash);
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
    options: VerifierOptions,
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
    options: VerifierOptions,
    context: PermissionContext | undefined,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    return doubts.include(claims, hash)
      ? this.#introspected(text, hash, ANY_ANSWER, options, context)
      : this.#judge(text, hash, 'signature', claims, options, context);
  }

  /** Whether a token that was judged a moment ago is neither denied nor over since. @internal */
  stillHolds(token: VerifiedAccessToken): boolean {
    return this.#clock.epochSeconds() < token.expiresAt && !this.#revocations.denies(token);
  }

  #judge(
    text: string,
    hash: string,
    source: ClaimsSource,
    claims: IntrospectionAnswer | SignedClaims,
    options: VerifierOptions,
    context: PermissionContext | undefined,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    try {
      return judgeAccessToken(text, source, claims, options, this.#clock, this.#revocations, hash, context);
    } catch (error) {
      throw this.#hinted(error, text, source, options);
    }
  }

  #hinted(error: unknown, text: string, source: ClaimsSource, options: VerifierOptions): unknown {
    if (!(error instanceof BearerError)) return error;
    return addHint(error, text, {
      ...options,
      source,
      nowSeconds: this.#clock.epochSeconds(),
      skew: options.clockSkew?.measured,
    });
  }
}

/** For `compose-keycloak.ts` alone. Not exported by the package. */
export function makeAccessTokenVerifier(...parts: Parts): AccessTokenVerifier {
  return make(...parts);
}

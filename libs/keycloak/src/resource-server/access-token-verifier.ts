/** AccessTokenVerifier: from the text of a token to the proof that it is good for this service, now. */
import type { CachedIntrospection } from '../authorization-server/cached-introspection.js';
import type { Clock } from '../caching/clock.js';
import { RecentDigests } from '../caching/recent-digests.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { AuthenticationDemand } from '../protocol/authentication-demand.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import type { TokenForm } from '../protocol/token-form.js';
import { tokenHash } from '../protocol/token-hash.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { RevocationList } from '../revocation/revocation-list.js';
import { authenticationDemand, type AuthenticationRequirement } from './authentication-requirement.js';
import { checkBearerToken, type BearerRequest } from './bearer-token.js';
import { addHint, type Skew } from './token-hints.js';
import { judgeAccessToken, type JudgeOptions, type PermissionContext } from './judge-access-token.js';
import { judgeAuthentication } from './judge-authentication.js';

export interface VerifierOptions extends JudgeOptions {
  readonly maxTokenBytes: number;
  /** What counts as a token here. */
  readonly tokenForm: TokenForm;
  /** What was measured of our clock, for the log. */
  readonly clockSkew?: { readonly measured: Skew | undefined };
}

type Parts = readonly [
  introspection: Pick<CachedIntrospection, 'introspect'>,
  options: VerifierOptions,
  clock: Clock,
  revocations: Pick<RevocationList, 'denies'>,
];

let make: (...parts: Parts) => AccessTokenVerifier;

/** The maker of a verifier decides what is found active, which is as much as to make a token. */
const MAKER = Symbol('maker');

export interface VerifyOptions {
  /** How old the server's word on the token may be, at most `introspectionTtlSeconds`; 0 asks. Default: that option. */
  readonly maxStalenessSeconds?: number;
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
  /** Of tokens that were used again a moment ago. */
  readonly #recentHashes = new RecentDigests();

  private constructor(maker: symbol, ...[introspection, options, clock, revocations]: Parts) {
    if (maker !== MAKER) throw new TypeError('An AccessTokenVerifier is made by KeycloakModule alone: inject it');
    this.#introspection = introspection;
    this.#options = options;
    this.#withoutPermissions = { ...options, permissions: undefined };
    this.#clock = clock;
    this.#revocations = revocations;
  }

  /**
   * Introspects the token, or reuses a cached answer as the guard does, and judges the answer.
   *
   * Throws `BearerError` `invalid_token` (or `invalid_request` for a text that has blanks), and `AuthorizationServerError`
   * when the authorization server gave no answer.
   */
  async verify(text: string, { maxStalenessSeconds = Infinity }: VerifyOptions = {}): Promise<VerifiedAccessToken> {
    if (text.length > this.#options.maxTokenBytes) {
      throw new BearerError('invalid_token', { reason: 'token_too_long' });
    }
    return this.judge(text, maxStalenessSeconds);
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
   * For the guard: `verify` for a text that is not too long, at once where the answer is cached. The text is hashed once, and
   * only when it has the form of a token: what has not is refused before it costs a call or becomes a key. @internal
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
    return this.#introspected(text, maxStalenessSeconds, this.#options, context);
  }

  /** `judge` for a connection that is open: whether its token is still good, whatever it permits. @internal */
  judgeAnew(text: string, maxStalenessSeconds: number): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    return this.#introspected(text, maxStalenessSeconds, this.#withoutPermissions);
  }

  #introspected(
    text: string,
    maxStalenessSeconds: number,
    options: VerifierOptions,
    context?: PermissionContext,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    const recentHash = this.#recentHashes.recall(text);
    if (recentHash === undefined) checkBearerToken(text, this.#options.tokenForm);
    const hash = recentHash ?? tokenHash(text);
    const answer = this.#introspection.introspect(text, maxStalenessSeconds, hash);
    if (answer instanceof Promise)
      return answer.then((answered) => this.#judge(text, hash, answered, options, context));
    // Only what was cached comes again; junk must not push it out.
    if (recentHash === undefined && answer['active'] === true) this.#recentHashes.remember(text, hash);
    return this.#judge(text, hash, answer, options, context);
  }

  /** Whether a token that was judged a moment ago is neither denied nor over since. @internal */
  stillHolds(token: VerifiedAccessToken): boolean {
    return this.#clock.epochSeconds() < token.expiresAt && !this.#revocations.denies(token);
  }

  #judge(
    text: string,
    hash: string,
    answer: IntrospectionAnswer,
    options: VerifierOptions,
    context: PermissionContext | undefined,
  ): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    try {
      return judgeAccessToken(text, answer, options, this.#clock, this.#revocations, hash, context);
    } catch (error) {
      if (!(error instanceof BearerError)) throw error;
      const nowSeconds = this.#clock.epochSeconds();
      throw addHint(error, text, { ...options, nowSeconds, skew: options.clockSkew?.measured });
    }
  }
}

/** For `compose-keycloak.ts` alone. Not exported by the package. */
export function makeAccessTokenVerifier(...parts: Parts): AccessTokenVerifier {
  return make(...parts);
}

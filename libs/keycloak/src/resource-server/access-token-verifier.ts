import type { Clock } from '../caching/clock.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { AuthenticationDemand } from '../protocol/authentication-demand.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { RevocationList } from '../revocation/revocation-list.js';
import { authenticationDemand, type AuthenticationRequirement } from './authentication-requirement.js';
import type { IssuerVerifier } from './issuer-verifier.js';
import { verifyAuthentication } from './verify-authentication.js';
import { tokenVerifierOf, type TokenVerifier } from './token-issuer.js';
import { demandedStaleness, type VerificationMethod } from './verification.js';

export interface VerifierOptions {
  readonly clockToleranceSeconds: number;
  readonly maxTokenBytes: number;
  readonly verification?: VerificationMethod;
}

type Parts = readonly [
  issuers: readonly [IssuerVerifier, ...IssuerVerifier[]],
  options: VerifierOptions,
  clock: Clock,
  revocations: Pick<RevocationList, 'denies'>,
];

let make: (...parts: Parts) => AccessTokenVerifier;

/** Only code with this symbol can create an `AccessTokenVerifier`. */
const MAKER = Symbol('maker');

export interface VerifyOptions {
  /**
   * The maximum age of the introspection result in seconds (0: introspect each time). If `maxStalenessSeconds` is set,
   * the token is introspected even with `verification: 'jwt'`. Default and maximum: `introspectionTtlSeconds`, or
   * `introspectionTtlWithEventsSeconds` while the signal feed is healthy.
   */
  readonly maxStalenessSeconds?: number;
  /** Default: the option `verification` of the module. */
  readonly verification?: VerificationMethod;
}

/**
 * Verifies access tokens that this service keeps for a user, for example in a session. Do NOT use it for tokens that a
 * caller sends in a cookie, query or body.
 *
 * `verify()` does not check permissions or the login: call `hasPermission()` and `requireStepUp()`.
 */
export class AccessTokenVerifier {
  static {
    make = (...parts) => new AccessTokenVerifier(MAKER, ...parts);
  }

  // The fields use `#`, because code that bypasses TypeScript's `private` could make any token valid.
  readonly #issuers: Parts[0];
  readonly #tokens: TokenVerifier;
  readonly #options: Parts[1];
  readonly #clock: Parts[2];
  readonly #revocations: Parts[3];

  private constructor(maker: symbol, ...[issuers, options, clock, revocations]: Parts) {
    if (maker !== MAKER) throw new TypeError('Only KeycloakModule can create an AccessTokenVerifier. Inject it');
    this.#issuers = issuers;
    this.#tokens = tokenVerifierOf(issuers);
    this.#options = options;
    this.#clock = clock;
    this.#revocations = revocations;
  }

  /**
   * Verifies a token by introspection or its signature, then checks its claims. The verifier uses the caches of the
   * guard.
   *
   * Throws `BearerError` `invalid_token`, or `invalid_request` for a text with whitespace. Throws
   * `AuthorizationServerError` if the authorization server or its keys are unavailable. Throws `TypeError` for
   * `verification: 'jwt'` in a module without the option `jwt`.
   */
  async verify(text: string, { maxStalenessSeconds, verification }: VerifyOptions = {}): Promise<VerifiedAccessToken> {
    if (verification === 'jwt' && !this.#issuers[0].checksSignatures) {
      throw new TypeError("Signatures can't be checked: verification 'jwt' needs forRoot({ jwt })");
    }
    if (text.length > this.#options.maxTokenBytes) {
      throw new BearerError('invalid_token', { reason: 'token_too_long' });
    }
    const { verification: byDefault = 'introspection' } = this.#options;
    return this.#tokens.verify(text, demandedStaleness({ maxStalenessSeconds, verification }, byDefault));
  }

  /**
   * Throws `BearerError` `insufficient_user_authentication` if the login is too weak or too old for `requirement`.
   * Throws `TypeError` for a faulty requirement.
   */
  requireStepUp(token: VerifiedAccessToken, requirement: AuthenticationRequirement): void {
    this.verifyAuthentication(token, authenticationDemand('requireStepUp', requirement));
  }

  /** Checks the login against the current time, even if the token is cached. @internal */
  verifyAuthentication(token: VerifiedAccessToken, demand: AuthenticationDemand): void {
    const ofToken = this.#issuers.find(({ issuer }) => issuer === token.issuer);
    const acceptedAcr = ofToken === undefined ? [] : ofToken.acceptedAcr;
    const { clockToleranceSeconds } = this.#options;
    verifyAuthentication(token, demand, acceptedAcr, this.#clock.epochSeconds(), clockToleranceSeconds);
  }

  /** False if the option `mapPermissions` of the token's issuer replaces its scopes. @internal */
  permissionsAreScopes({ issuer }: VerifiedAccessToken): boolean {
    return !this.#issuers.some((each) => each.issuer === issuer && each.mapsPermissions);
  }

  /** The issuer to which a plain client id in `@AllowClients` belongs. @internal */
  get ownIssuer(): string {
    return this.#issuers[0].issuer;
  }

  /**
   * The returned verifier does not check the length of a token, because the guard checks the length first. @internal
   */
  get tokens(): TokenVerifier {
    return this.#tokens;
  }

  /** @internal */
  stillHolds(token: VerifiedAccessToken): boolean {
    return this.#clock.epochSeconds() < token.expiresAt && !this.#revocations.denies(token);
  }
}

export function makeAccessTokenVerifier(...parts: Parts): AccessTokenVerifier {
  return make(...parts);
}

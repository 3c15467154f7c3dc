/** AccessTokenVerifier: from the text of a token to the proof that it is good for this service, now. */
import type { Clock } from '../caching/clock.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { AuthenticationDemand } from '../protocol/authentication-demand.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { RevocationList } from '../revocation/revocation-list.js';
import { authenticationDemand, type AuthenticationRequirement } from './authentication-requirement.js';
import type { IssuerVerifier } from './issuer-verifier.js';
import { judgeAuthentication } from './judge-authentication.js';
import { tokenVerifierOf, type TokenVerifier } from './token-issuer.js';
import { demandedStaleness, type VerificationMethod } from './verification.js';

export interface VerifierOptions {
  readonly clockToleranceSeconds: number;
  readonly maxTokenBytes: number;
  /** How tokens are verified where nobody says it. Default `introspection`. */
  readonly verification?: VerificationMethod;
}

type Parts = readonly [
  /** The first is that of this service. */
  issuers: readonly [IssuerVerifier, ...IssuerVerifier[]],
  options: VerifierOptions,
  clock: Clock,
  revocations: Pick<RevocationList, 'denies'>,
];

let make: (...parts: Parts) => AccessTokenVerifier;

/** The maker of a verifier decides what is found active, which is as much as to make a token. */
const MAKER = Symbol('maker');

export interface VerifyOptions {
  /** How old the server's word on the token may be, at most `introspectionTtlSeconds`; 0 asks. The token is introspected then. Default: that option. */
  readonly maxStalenessSeconds?: number;
  /** How the token is verified, as `@TokenVerification()` has it. Default: the option `verification` of the module. */
  readonly verification?: VerificationMethod;
}

/**
 * For access tokens that this service itself holds for a user: those of a session, in a backend for frontend. It is NOT for
 * tokens taken from elsewhere in a request (a cookie, the query, a body): what a caller sends is the guard's, by the
 * route's decorators. It does not look at permissions either: ask `hasPermission()` of what it gives, and `requireStepUp()` for a login
 * that is strong or recent enough.
 */
export class AccessTokenVerifier {
  static {
    make = (...parts) => new AccessTokenVerifier(MAKER, ...parts);
  }

  // What is private in the types alone could be assigned, and with it what is found active.
  readonly #issuers: Parts[0];
  readonly #tokens: TokenVerifier;
  readonly #options: Parts[1];
  readonly #clock: Parts[2];
  readonly #revocations: Parts[3];

  private constructor(maker: symbol, ...[issuers, options, clock, revocations]: Parts) {
    if (maker !== MAKER) throw new TypeError('An AccessTokenVerifier is made by KeycloakModule alone: inject it');
    this.#issuers = issuers;
    this.#tokens = tokenVerifierOf(issuers);
    this.#options = options;
    this.#clock = clock;
    this.#revocations = revocations;
  }

  /**
   * Introspects the token or checks its signature, or reuses what is cached of that as the guard does, and judges its claims.
   *
   * Throws `BearerError` `invalid_token` (or `invalid_request` for a text that has blanks), and `AuthorizationServerError`
   * when the authorization server gave no answer, or its keys can't be had. Throws `TypeError` for `verification: 'jwt'` in a module without the option `jwt`.
   */
  async verify(text: string, { maxStalenessSeconds, verification }: VerifyOptions = {}): Promise<VerifiedAccessToken> {
    if (verification === 'jwt' && !this.#issuers[0].checksSignatures) {
      throw new TypeError("Nothing here checks signatures: verification 'jwt' needs forRoot({ jwt })");
    }
    if (text.length > this.#options.maxTokenBytes) {
      throw new BearerError('invalid_token', { reason: 'token_too_long' });
    }
    const { verification: byDefault = 'introspection' } = this.#options;
    return this.#tokens.verify(text, demandedStaleness({ maxStalenessSeconds, verification }, byDefault));
  }

  /**
   * As `@RequireStepUp` does: throws `BearerError` `insufficient_user_authentication` unless the user of the token has logged in so strongly or
   * recently. Throws `TypeError` for a faulty requirement.
   */
  requireStepUp(token: VerifiedAccessToken, requirement: AuthenticationRequirement): void {
    this.judgeAuthentication(token, authenticationDemand('requireStepUp', requirement));
  }

  /** For `authorize`: the demand is made once. Also of a token whose answer was cached, by the time of now. @internal */
  judgeAuthentication(token: VerifiedAccessToken, demand: AuthenticationDemand): void {
    const ofToken = this.#issuers.find(({ issuer }) => issuer === token.issuer);
    const acceptedAcr = ofToken === undefined ? [] : ofToken.acceptedAcr;
    const { clockToleranceSeconds } = this.#options;
    judgeAuthentication(token, demand, acceptedAcr, this.#clock.epochSeconds(), clockToleranceSeconds);
  }

  /** The issuer of this service itself: of its clients `@AllowClients` names the id alone. @internal */
  get ownIssuer(): string {
    return this.#issuers[0].issuer;
  }

  /** For the guard. It verifies at once if the answer or the signature is cached, and does not check the length. @internal */
  get tokens(): TokenVerifier {
    return this.#tokens;
  }

  /** Whether a token that was judged a moment ago is neither denied nor over since. @internal */
  stillHolds(token: VerifiedAccessToken): boolean {
    return this.#clock.epochSeconds() < token.expiresAt && !this.#revocations.denies(token);
  }
}

/** For `compose-keycloak.ts` alone. Not exported by the package. */
export function makeAccessTokenVerifier(...parts: Parts): AccessTokenVerifier {
  return make(...parts);
}

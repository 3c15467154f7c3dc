/** AccessTokenVerifier: from the text of a token to the proof that it is good for this service, now. */
import type { CachedIntrospection } from '../authorization-server/cached-introspection.js';
import type { Clock } from '../caching/clock.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import type { TokenForm } from '../protocol/token-form.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { RevocationList } from '../revocation/revocation-list.js';
import { checkBearerToken } from './bearer-token.js';
import { judgeAccessToken, type JudgeOptions } from './judge-access-token.js';

export interface VerifierOptions extends JudgeOptions {
  readonly maxTokenBytes: number;
  /** What counts as a token here. */
  readonly tokenForm: TokenForm;
}

type Parts = readonly [
  introspection: Pick<CachedIntrospection, 'introspect' | 'known'>,
  options: VerifierOptions,
  clock: Clock,
  revocations: Pick<RevocationList, 'denies'>,
];

let make: (...parts: Parts) => AccessTokenVerifier;

/** Whoever makes a verifier says what is found active: as much as to make a token. */
const MAKER = Symbol('maker');

export interface VerifyOptions {
  /** How old the server's word on the token may be, at most `introspectionTtlSeconds`; 0 asks. Default: that option. */
  readonly maxStalenessSeconds?: number;
}

/**
 * For access tokens that this service itself holds for a user: those of a session, in a backend for frontend. It is NOT for
 * tokens taken from elsewhere in a request (a cookie, the query, a body): what a caller sends is the guard's, by the
 * route's decorators. It does not look at permissions either: ask `hasPermission()` of what it gives.
 */
export class AccessTokenVerifier {
  static {
    make = (...parts) => new AccessTokenVerifier(MAKER, ...parts);
  }

  // What is private in the types alone could be assigned, and with it what is found active.
  readonly #introspection: Parts[0];
  readonly #options: Parts[1];
  readonly #clock: Parts[2];
  readonly #revocations: Parts[3];

  private constructor(maker: symbol, ...[introspection, options, clock, revocations]: Parts) {
    if (maker !== MAKER) throw new TypeError('An AccessTokenVerifier is made by KeycloakModule alone: inject it');
    this.#introspection = introspection;
    this.#options = options;
    this.#clock = clock;
    this.#revocations = revocations;
  }

  /**
   * Introspects the token, or reuses what is known of it as the guard does, and judges the answer.
   *
   * Throws `BearerError` `invalid_token` (or `invalid_request` for a text that has blanks), and `AuthorizationServerError`
   * when the authorization server gave no answer.
   */
  async verify(text: string, { maxStalenessSeconds = Infinity }: VerifyOptions = {}): Promise<VerifiedAccessToken> {
    if (text.length > this.#options.maxTokenBytes) {
      throw new BearerError('invalid_token', { reason: 'token_too_long' });
    }
    return this.known(text, maxStalenessSeconds) ?? this.ask(text, maxStalenessSeconds);
  }

  /**
   * For the guard: what `verify` would give without asking, at once. Its form is not looked at: only what had it was ever
   * asked about. @internal
   */
  known(text: string, maxStalenessSeconds: number): VerifiedAccessToken | undefined {
    const answer = this.#introspection.known(text, maxStalenessSeconds);
    return answer === undefined ? undefined : this.#judge(text, answer);
  }

  /** For the guard: asks. What is no token is refused before it costs a call or becomes a key. @internal */
  ask(text: string, maxStalenessSeconds: number): Promise<VerifiedAccessToken> {
    checkBearerToken(text, this.#options.tokenForm);
    return this.#introspection.introspect(text, maxStalenessSeconds).then((answer) => this.#judge(text, answer));
  }

  #judge(text: string, answer: IntrospectionAnswer): VerifiedAccessToken {
    return judgeAccessToken(text, answer, this.#options, this.#clock, this.#revocations);
  }
}

/** For `keycloak.module.ts` alone. Not exported by the package. */
export function makeAccessTokenVerifier(...parts: Parts): AccessTokenVerifier {
  return make(...parts);
}

import { isStrictJson } from '../authorization-server/strict-json.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import { isCompactJws } from '../protocol/token-form.js';

const MAX_LENGTH = 65_536;

/**
 * For `acr` and `auth_time`, Keycloak's introspection reports the values of the session, which a later login or
 * exchange changes.
 */
const OF_THE_LOGIN = ['acr', 'auth_time'] as const;

const MAKER = Symbol('maker');

/** A token that the server has reported as active, so the claims in its text are authentic. */
export class ActiveToken {
  readonly #text: string;
  readonly #answer: IntrospectionAnswer;
  readonly #issuer: string;

  private constructor(text: string, answer: IntrospectionAnswer, issuer: string, maker: symbol) {
    if (maker !== MAKER) throw new TypeError('Only ActiveToken.of() can create an ActiveToken');
    this.#text = text;
    this.#answer = answer;
    this.#issuer = issuer;
  }

  /** `answer` must belong to exactly the given text, because `ActiveToken` trusts the text's claims. */
  static of(text: string, answer: IntrospectionAnswer, issuer: string): ActiveToken | undefined {
    return answer['active'] === true ? new ActiveToken(text, answer, issuer, MAKER) : undefined;
  }

  /**
   * Returns the claims of the introspection result, with `acr` and `auth_time` from the token. If the token names the
   * issuer, its `act` counts too, because Keycloak's introspection omits the `act` of a delegation. If the result has no
   * `cnf`, the `cnf` of the token is returned, so that callers can refuse key-bound tokens. Throws `BearerError`
   * `token_malformed` for a payload that parsers read differently, for example because of a duplicate name.
   */
  get claims(): IntrospectionAnswer {
    const own = payloadOf(this.#text);
    if (own === undefined) return this.#answer;
    const names = [
      ...OF_THE_LOGIN,
      ...(own['iss'] === this.#issuer ? ['act'] : []),
      ...(this.#answer['cnf'] === undefined ? ['cnf'] : []),
    ];
    const counted = names.filter((name) => Object.hasOwn(own, name)).map((name) => [name, own[name]] as const);
    return counted.length === 0 ? this.#answer : { ...this.#answer, ...Object.fromEntries(counted) };
  }
}

/** RFC 7515 §7.1. */
function payloadOf(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!isCompactJws(text)) return undefined;
  const [, encoded = ''] = text.split('.', 3);
  if (encoded.length > MAX_LENGTH) throw new BearerError('invalid_token', { reason: 'token_too_long' });
  const bytes = Buffer.from(encoded, 'base64url');
  const payload = parsed(bytes.toString('utf8'));
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return undefined;
  if (!isStrictJson(bytes)) throw new BearerError('invalid_token', { reason: 'token_malformed' });
  return payload as Readonly<Record<string, unknown>>;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

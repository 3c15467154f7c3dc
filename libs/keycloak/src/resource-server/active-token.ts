/** Active token: a token that the authorization server has just called active, and the claims that count for it (RFC 7662 §2.2, RFC 9470 §6). */
import { isStrictJson } from '../authorization-server/strict-json.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import { isCompactJws } from '../protocol/token-form.js';

/** Longer payloads are not read. `maxTokenBytes` allows no longer token. */
const MAX_LENGTH = 65_536;

/**
 * The claims of the login, for which the token's own value counts. Keycloak's answer has the values of the session instead,
 * which another login or a token exchange changes.
 */
const OF_THE_LOGIN = ['acr', 'auth_time'] as const;

const MAKER = Symbol('maker');

/**
 * Holding one proves that the server's answer said `active`. The server has then checked the whole text, so the claims in it
 * are authentic. Code that reads a token before that uses `unverifiedClaims()`, and decides nothing by it but whom to ask.
 */
export class ActiveToken {
  readonly #text: string;
  readonly #answer: IntrospectionAnswer;

  private constructor(text: string, answer: IntrospectionAnswer, maker: symbol) {
    // The compiler alone keeps a private constructor.
    if (maker !== MAKER) throw new TypeError('An ActiveToken is made by ActiveToken.of() alone');
    this.#text = text;
    this.#answer = answer;
  }

  /** Returns undefined unless the answer is active. `answer` must be the answer about this very text. */
  static of(text: string, answer: IntrospectionAnswer): ActiveToken | undefined {
    return answer['active'] === true ? new ActiveToken(text, answer, MAKER) : undefined;
  }

  /**
   * Returns the claims of the answer, with the token's own `acr` and `auth_time` where it has them. `cnf` is taken from the
   * answer or the token, since a bound token is refused. Nothing else of the token is used. A token without a payload that
   * is a JSON object (opaque) keeps the answer.
   *
   * Throws `BearerError` `token_malformed` for a payload that parsers read in different ways, as with a name that occurs twice.
   */
  get claims(): IntrospectionAnswer {
    const own = payloadOf(this.#text);
    if (own === undefined) return this.#answer;
    const names = [...OF_THE_LOGIN, ...(this.#answer['cnf'] === undefined ? ['cnf'] : [])];
    const counted = names.filter((name) => Object.hasOwn(own, name)).map((name) => [name, own[name]] as const);
    return counted.length === 0 ? this.#answer : { ...this.#answer, ...Object.fromEntries(counted) };
  }
}

/** The payload of a compact JWS (RFC 7515 §7.1); undefined for a text without one that can be read. */
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

/** AuthorizationServerFetch: a `fetch` for OAuth and OpenID Connect libraries of the application, under the module's own bounds. */
import type { Connections } from '../http/network.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import type { CallPolicy } from '../resilience/call-policy.js';
import { retryAfterSeconds } from '../resilience/retry-after.js';
import { asResponse, boundedExchange, isJson } from './bounded-fetch.js';
import { isStrictJson } from './strict-json.js';

/** What is read of a `RequestInit`. */
export interface AuthorizationServerRequest {
  /** Default `GET`. */
  readonly method?: string;
  readonly headers?: Headers | Readonly<Record<string, string>>;
  /** A text or a form. */
  readonly body?: object | string | null | undefined;
  /** Ends the call as `timeoutMs` does, but the circuit does not open for it. */
  readonly signal?: AbortSignal | null | undefined;
}

export interface ServerAddress {
  readonly issuer: string;
  readonly realmUrl: string | URL;
}

/** As the log names them. */
export type ApplicationCallKind = 'login' | `login_${string}` | 'signals';

/**
 * For a login that the application does itself, by a library that takes a `fetch`: `[customFetch]` of openid-client and of jose.
 * Its calls go over the module's connections and have a bulkhead and a circuit of their own: `maxConcurrentCalls` of them run at
 * once, `maxQueuedCalls` wait, and so on; however many browsers knock, introspections keep their slots.
 *
 * - A URL of the server's public address is asked for where this service reaches it (`internalServerUrl`). Any other origin is refused.
 * - `timeoutMs` bounds waiting, tries and answer. A `GET` is tried again as `maxRetries` says; a `POST` never: an authorization
 *   code or a refresh token counts once.
 * - Redirects are not followed (the answer is the 3xx), nothing is decompressed, an answer over 1 MiB is dropped, and JSON must be
 *   strict.
 * - It does NOT authenticate this service: what is sent is what the library makes.
 */
export class AuthorizationServerFetch {
  readonly #publicBase: string;
  readonly #base: string;
  readonly #origins: ReadonlySet<string>;

  readonly #policy: CallPolicy;

  constructor(
    private readonly address: ServerAddress,
    private readonly connections: Connections,
    private readonly policyFor: (kind: ApplicationCallKind) => CallPolicy,
    kind: ApplicationCallKind = 'login',
  ) {
    const { issuer, realmUrl } = address;
    this.#policy = policyFor(kind);
    this.#publicBase = baseOf(issuer);
    this.#base = baseOf(String(realmUrl));
    this.#origins = new Set([issuer, realmUrl].map((url) => new URL(url).origin));
  }

  /**
   * Resolves with any other answer than 408, 429 and 5xx.
   *
   * Throws `AuthorizationServerError`, and nothing else but `TypeError` for a request that it can't send: with
   * `authorization_server_unavailable` for those answers, and when there was none or the call was not made; with
   * `authorization_server_refused` (`endpoint_on_foreign_origin`) for another server's URL.
   */
  readonly fetch = async (url: string | URL, init: AuthorizationServerRequest = {}): Promise<Response> => {
    const target = this.#target(String(url));
    const method = methodOf(init.method);
    const request = { method, headers: headersOf(init), body: textOf(init.body) };
    return this.#policy.run(
      nothing,
      async (_, signal) => {
        const answer = await boundedExchange(this.connections, target, { ...request, signal });
        const { status, headers, body } = answer;
        if (status >= 500 || status === 408 || status === 429) {
          throw AuthorizationServerError.answered(
            status,
            'unexpected_status',
            retryAfterSeconds(headers['retry-after'], headers['date']),
          );
        }
        if (isJson(headers['content-type']) && !isStrictJson(body)) throw unavailable('answer_not_strict_json');
        try {
          return asResponse(answer);
        } catch {
          throw unavailable('nonsense_answer');
        }
      },
      { repeat: method === 'GET', signal: init.signal ?? undefined },
    );
  };

  /**
   * The same with a bulkhead and a circuit apart from these, for calls that others must not keep waiting: anybody can bring
   * about that a code is redeemed, and only a user who is logged in that a session is refreshed. Make it once: each call of
   * this makes a new bulkhead. `name`: one word, for the log.
   */
  apart(name: string): AuthorizationServerFetch {
    return new AuthorizationServerFetch(this.address, this.connections, this.policyFor, `login_${name}`);
  }

  #target(url: string): URL {
    const target = new URL(
      url.startsWith(`${this.#publicBase}/`) ? this.#base + url.slice(this.#publicBase.length) : url,
    );
    if (this.#origins.has(target.origin)) return target;
    throw new AuthorizationServerError('authorization_server_refused', {
      reason: 'endpoint_on_foreign_origin',
      fields: { origin: target.origin },
    });
  }
}

const nothing = async (): Promise<undefined> => undefined;

/** A realm's URL without its `/realms/…`; the origin of another server's. */
function baseOf(url: string): string {
  const at = url.lastIndexOf('/realms/');
  return at === -1 ? new URL(url).origin : url.slice(0, at);
}

function methodOf(method = 'GET'): 'GET' | 'POST' {
  if (method === 'GET' || method === 'POST') return method;
  throw new TypeError('The authorization server is asked by GET or POST');
}

function textOf(body: AuthorizationServerRequest['body']): string | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string' || body instanceof URLSearchParams) return body.toString();
  throw new TypeError('The body must be a text or a form');
}

function headersOf({ headers = {}, body }: AuthorizationServerRequest): Readonly<Record<string, string>> {
  const all = new Headers(headers);
  // No answer is decompressed.
  all.set('accept-encoding', 'identity');
  if (body instanceof URLSearchParams && !all.has('content-type')) {
    all.set('content-type', 'application/x-www-form-urlencoded;charset=UTF-8');
  }
  return Object.fromEntries(all);
}

function unavailable(reason: AuthorizationServerErrorReason): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_unavailable', { reason });
}

import type { Connections } from '../http/network.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import type { CallPolicy } from '../resilience/call-policy.js';
import { retryAfterSeconds } from '../resilience/retry-after.js';
import { asResponse, boundedExchange, isJson } from './bounded-fetch.js';
import { isStrictJson } from './strict-json.js';

/** The supported part of `RequestInit`. */
export interface AuthorizationServerRequest {
  /** `GET` (default) or `POST`. */
  readonly method?: string;
  readonly headers?: Headers | Readonly<Record<string, string>>;
  /** The body: a string or `URLSearchParams`. */
  readonly body?: object | string | null | undefined;
  /** An abort, unlike a time-out, is never a failure for the circuit breaker. */
  readonly signal?: AbortSignal | null | undefined;
}

export interface ServerAddress {
  readonly issuer: string;
  readonly realmUrl: string | URL;
}

export type ApplicationCallKind = 'login' | `login_${string}` | 'signals';

/**
 * Gives openid-client, jose or a similar library a bounded `fetch` for user logins. This `fetch` has its own bulkhead
 * and circuit breaker, so user logins take no slots from introspections.
 *
 * - Rewrites the server's public address to `internalServerUrl`, and refuses all other origins.
 * - `timeoutMs` limits the whole call, including waits and retries. A `GET` is retried up to `maxRetries` times. A
 *   `POST` is never retried, because codes and refresh tokens work only once.
 * - Follows no redirects, decompresses no answers, and rejects answers over 1 MiB and JSON with duplicate members.
 * - Does NOT authenticate this service.
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
   * Resolves with any answer except 408, 429 and 5xx.
   *
   * @throws {AuthorizationServerError} `authorization_server_unavailable` for 408, 429, 5xx, a missing answer, or a
   * call that was not sent. A URL of another server causes `authorization_server_refused`
   * (`endpoint_on_foreign_origin`).
   * @throws {TypeError} If the request can't be sent.
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
   * Returns a `fetch` with its own bulkhead and circuit breaker, so that other calls can't delay its calls. Call
   * `apart` once per purpose, because every `apart` call creates a new bulkhead. `name` is a single word for the log.
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

function baseOf(url: string): string {
  const at = url.lastIndexOf('/realms/');
  return at === -1 ? new URL(url).origin : url.slice(0, at);
}

function methodOf(method = 'GET'): 'GET' | 'POST' {
  if (method === 'GET' || method === 'POST') return method;
  throw new TypeError('Requests to the authorization server use GET or POST');
}

function textOf(body: AuthorizationServerRequest['body']): string | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string' || body instanceof URLSearchParams) return body.toString();
  throw new TypeError('The body must be a string or a form');
}

function headersOf({ headers = {}, body }: AuthorizationServerRequest): Readonly<Record<string, string>> {
  const all = new Headers(headers);
  all.set('accept-encoding', 'identity');
  if (body instanceof URLSearchParams && !all.has('content-type')) {
    all.set('content-type', 'application/x-www-form-urlencoded;charset=UTF-8');
  }
  return Object.fromEntries(all);
}

function unavailable(reason: AuthorizationServerErrorReason): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_unavailable', { reason });
}

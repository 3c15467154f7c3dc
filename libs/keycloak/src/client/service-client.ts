import { CLIENT_CREDENTIALS_GRANT } from '../protocol/identifiers.js';
import type { KeycloakException } from '../protocol/keycloak-exception.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { CallObservation } from './call-observation.js';
import { DeclaredScopes } from './declared-scopes.js';
import {
  checkJsonBody,
  checkForwardStatuses,
  checkTimeout,
  jsonCallHeaders,
  withQuery,
  type ServiceQuery,
} from './json-calls.js';
import { JsonExchange, type JsonRequest } from './json-exchange.js';
import { sendWithToken, type Sent } from './send-with-token.js';
import type { ServiceAudiences } from './service-audiences.js';
import { answerFailure } from './service-call-failures.js';
import type { ServicePaths } from './service-paths.js';
import type { Exchange, ServiceAnswer, ServiceTransport } from './service-transport.js';
import { exchangeWithScope, type TokenRequest } from './token-request.js';
import type { TokenSources } from './token-sources.js';

export interface ServiceRequestOptions {
  /** Aborts the call, which then throws the abort reason. */
  readonly signal?: AbortSignal;
  /** Additional headers. Throws `TypeError` for headers that set the caller, the target or the message framing. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * The `traceparent` to send (W3C Trace Context), such as `request.headers.traceparent`. A malformed value or a list
   * is omitted. If `KeycloakTelemetryModule` traces the call, the span of the call replaces the value.
   */
  readonly traceparent?: string | readonly string[] | undefined;
  /** The query, which is percent-encoded and appended to the path. */
  readonly query?: ServiceQuery;
  /**
   * Replaces the service's `timeoutMs` for this call, in milliseconds, 1 to 300000 (`service_timeout`). The time to get
   * a token does not count, and the service's own `timeoutMs` still limits the time to open a connection. If the call
   * exceeds a shorter `timeoutMs`, the circuit breaker does not count a failure.
   */
  readonly timeoutMs?: number;
  /** Reads a 2xx answer as JSON (the default), or as text of any content type. */
  readonly responseType?: 'json' | 'text';
  /**
   * The statuses of the called service that an uncaught error passes on to this service's caller. The library, not the
   * called service, writes the response body. Allowed are 400 to 499, except 401, 403, 407, 408, 421, 425, 426 and 431.
   * By default, an error status of the called service becomes 502. For a call on behalf of a user, 403 becomes 403.
   */
  readonly forwardStatuses?: readonly number[];
}

export interface ServiceResponse<T> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: T;
}

/**
 * A client for one service that `KeycloakModule.forFeature` registers, injected with `@InjectServiceClient(name)`. The
 * client never forwards the token of the incoming request.
 */
export class ServiceClient {
  constructor(
    readonly name: string,
    private readonly audiences: ServiceAudiences,
    private readonly transport: ServiceTransport,
    private readonly tokens: Pick<TokenSources, 'get' | 'dropRefused'>,
    private readonly scopes = new DeclaredScopes(name, undefined),
    private readonly observation = new CallObservation(),
  ) {}

  /**
   * Returns a `ServiceCaller` that acts for this service itself. The client credentials token gets the space-separated
   * scopes of `scope`, or the realm's default scopes. Throws `TypeError` for a scope that is malformed or not declared.
   */
  asService(scope?: string): ServiceCaller {
    const { issuer } = this.audiences;
    const canonical = this.scopes.canonical('asService', scope);
    const request = { grant: CLIENT_CREDENTIALS_GRANT, issuer, scope: canonical } as const;
    return new ServiceCaller(this.name, this.transport, this.tokens, request, this.observation);
  }

  /**
   * Returns a `ServiceCaller` that acts on behalf of the subject of `token`. Exchanges `token` at its issuer for a
   * token with `scope`, or with the realm's default scopes. Throws `TypeError` for a malformed or undeclared scope, and
   * `AuthorizationServerError` (`no_audience_at_issuer`) if the called service has no audience at this issuer.
   */
  onBehalfOf(token: VerifiedAccessToken, scope?: string): ServiceCaller {
    const canonical = this.scopes.canonical('onBehalfOf', scope);
    const request = exchangeWithScope(token, this.audiences.only ?? this.audiences.at(token.issuer), canonical);
    return new ServiceCaller(this.name, this.transport, this.tokens, request, this.observation);
  }
}

/**
 * Sends requests to one service. A path begins with a slash and stays below the service's base URL. A `ServiceCaller`
 * follows no redirects, and does not check answers against the type `T`.
 *
 * The library sends a path as given, and only percent-encodes spaces and non-ASCII characters. Refuse an untrusted
 * segment that is `.` or `..`, and encode all others with `encodeURIComponent`. `encodeURIComponent` also encodes
 * control characters, which a path must not contain.
 *
 * Throws `TypeError`, before a token is requested, if `path` has a backslash, `#`, control character or lone surrogate.
 * Throws `TypeError` for a body that JSON can't represent. Encoded control characters and dot segments before the `?`
 * also cause `TypeError`. `%2e%2e` is a dot segment, and encoded slashes separate segments.
 *
 * Throws `ServiceCallError` if the service is unreachable, is too slow, fails, or refuses this service. Throws
 * `AuthorizationServerError` if no token could be obtained, because no call is sent without a token.
 *
 * Throws `BearerError` `insufficient_scope` if the subject lacks the permission, and `insufficient_user_authentication`
 * if the user must log in again. Throws `BearerError` `invalid_token` if the subject's token has expired or was revoked
 * after its verification.
 */
export class ServiceCaller {
  constructor(
    readonly service: string,
    private readonly transport: ServiceTransport,
    private readonly tokens: Pick<TokenSources, 'get' | 'dropRefused'>,
    private readonly tokenRequest: TokenRequest,
    private readonly observation: CallObservation,
  ) {}

  /** Returns the body of a 2xx answer. */
  async get<T>(path: string, options?: ServiceRequestOptions): Promise<T> {
    return (await this.request<T>('GET', path, undefined, options)).body;
  }

  /** Sends `body` as JSON and returns the body of a 2xx answer. */
  async post<T>(path: string, body: unknown, options?: ServiceRequestOptions): Promise<T> {
    return (await this.request<T>('POST', path, body, options)).body;
  }

  /** Sends `body` as JSON and returns the body of a 2xx answer. */
  async put<T>(path: string, body: unknown, options?: ServiceRequestOptions): Promise<T> {
    return (await this.request<T>('PUT', path, body, options)).body;
  }

  /** Sends `body` as JSON and returns the body of a 2xx answer. */
  async patch<T>(path: string, body: unknown, options?: ServiceRequestOptions): Promise<T> {
    return (await this.request<T>('PATCH', path, body, options)).body;
  }

  /** Returns the body of a 2xx answer. */
  async delete<T>(path: string, options?: ServiceRequestOptions): Promise<T> {
    return (await this.request<T>('DELETE', path, undefined, options)).body;
  }

  /** Returns the status, headers and body of a 2xx answer. */
  async request<T>(
    method: JsonRequest['method'],
    path: string,
    body?: unknown,
    options: ServiceRequestOptions = {},
  ): Promise<ServiceResponse<T>> {
    const { signal, query, timeoutMs, responseType, forwardStatuses } = options;
    signal?.throwIfAborted();
    if (timeoutMs !== undefined) checkTimeout(timeoutMs);
    if (forwardStatuses !== undefined) checkForwardStatuses(forwardStatuses);
    if (body !== undefined && Object.getPrototypeOf(Object(body)) !== Object.prototype) checkJsonBody(body);
    const isTold = options.headers !== undefined || options.traceparent !== undefined;
    const headers = isTold ? jsonCallHeaders(options) : undefined;
    // The body is serialized now, because the caller may change it before the request is sent or repeated.
    const text = body === undefined ? undefined : JSON.stringify(body);
    const target = this.transport.paths.below(query === undefined ? path : withQuery(path, query));
    const exchange = new JsonExchange({ method, headers, body: text, signal, timeoutMs, responseType });
    const sent = await this.send(exchange, target);
    const { response } = sent;
    if (response.status >= 200 && response.status < 300) return response as ServiceResponse<T>;
    throw this.failureOf(sent, exchange, target, forwardStatuses);
  }

  /** For entry points of the library. @internal */
  get paths(): ServicePaths {
    return this.transport.paths;
  }

  /** Sends the exchange; `path` must come from `paths`. @internal */
  send<Answer extends ServiceAnswer>(exchange: Exchange<Answer>, path: string): Promise<Sent<Answer>> {
    const { service, transport, tokens, tokenRequest } = this;
    const actor = 'subject' in tokenRequest ? tokenRequest.subject.actor : undefined;
    const call = { service, method: exchange.method, origin: transport.paths.origin, actor };
    return this.observation.observe(
      call,
      (trace) => sendWithToken(transport, tokens, tokenRequest, exchange, path, trace),
      exchange.signal,
    );
  }

  /** @internal */
  failureOf(
    { response, token, refused }: Sent<ServiceAnswer>,
    { method }: Pick<Exchange<ServiceAnswer>, 'method'>,
    path: string,
    forwardStatuses?: readonly number[],
  ): KeycloakException {
    const failure = answerFailure(this.service, this.tokenRequest, [token, refused], response, forwardStatuses);
    return failure.add({ call: `${method} ${this.paths.addressOf(path)}` });
  }
}

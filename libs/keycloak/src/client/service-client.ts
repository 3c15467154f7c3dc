/** ServiceClient: calls one other service, always with a token made for that service. */
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
  /** Ends the call when it aborts; the call then throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Further headers. Those that name the caller or the target, or frame the request, throw `TypeError`. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * The `traceparent` (W3C Trace Context) that the service is called with, such as that of the request that is being served, as Node has it in
   * `request.headers`. One that is malformed, or a list of them, is left out. Where `KeycloakTelemetryModule` makes spans, that of the call takes its place.
   */
  readonly traceparent?: string | readonly string[] | undefined;
  /** Put at the end of the path, encoded. */
  readonly query?: ServiceQuery;
  /**
   * In milliseconds, 1 to 300000, for this call in place of the service's own `timeoutMs`; it then ends with `service_timeout`. Getting a token is
   * not in it, and a connection is still made within the service's own. A shorter one says nothing of the service: its circuit stays closed.
   */
  readonly timeoutMs?: number;
  /** What an answer that succeeded is read as: JSON, or text whose type is not looked at. Default `json`. */
  readonly responseType?: 'json' | 'text';
  /**
   * Statuses of the service, 400 to 499 but for those that are about the call itself (401, 403, 407, 408, 421, 425, 426, 431), that a caller of this service may be answered with when the error is not caught: the
   * status alone, with this library's body. Default: none, and all of them are 502.
   */
  readonly forwardStatuses?: readonly number[];
}

export interface ServiceResponse<T> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: T;
}

/**
 * Injected with `@InjectServiceClient(name)` for a service registered with `KeycloakModule.forFeature`. It only says in
 * whose name a call is made; it does not pass on a token that this service was called with.
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
   * Calls in this service's own name, with a client-credentials token for `scope` (a space-separated set). Without it, for what the realm gives
   * unasked: where permissions are roles. Throws `TypeError` when it is malformed, or not declared.
   */
  asService(scope?: string): ServiceCaller {
    const { issuer } = this.audiences;
    const canonical = this.scopes.canonical('asService', scope);
    const request = { grant: CLIENT_CREDENTIALS_GRANT, issuer, scope: canonical } as const;
    return new ServiceCaller(this.name, this.transport, this.tokens, request, this.observation);
  }

  /**
   * Calls for the subject of `token`, which is exchanged for one with `scope` at this service's audience, or with none, as `asService`. It is exchanged at its own issuer: of several, throws
   * `AuthorizationServerError` (`no_audience_at_issuer`) where this service was registered without an audience there.
   */
  onBehalfOf(token: VerifiedAccessToken, scope?: string): ServiceCaller {
    const canonical = this.scopes.canonical('onBehalfOf', scope);
    const request = exchangeWithScope(token, this.audiences.only ?? this.audiences.at(token.issuer), canonical);
    return new ServiceCaller(this.name, this.transport, this.tokens, request, this.observation);
  }
}

/**
 * The calls themselves. Bodies are sent as JSON, and read as JSON or text; `T` is what the caller takes the answer for, it is not
 * checked. A path begins with a slash and stays below the service's base URL; redirects are not followed.
 *
 * A path is sent as it was given, but that spaces and characters that are not ASCII are percent-encoded. The library does not decode, resolve or
 * correct anything: encode what comes from elsewhere with `encodeURIComponent`, and give a query by `query`. `encodeURIComponent` leaves `.` and `..` as
 * they are, and encodes control characters, which a path may not have. Check an id before you use it. Otherwise its sender decides that the call throws.
 *
 * Throws `TypeError` before a token is requested, for a path or query with a dot segment, a backslash, a `#`, a control character or
 * a lone surrogate. `..` and `%2e%2e` are dot segments, also between encoded slashes. A path with an encoded control character
 * (`%00` to `%1f`, `%7f`) throws it, too.
 *
 * Throws `TypeError` for a body that JSON does not carry, such as a form, a stream or binary data. `ServiceHttp` sends those.
 *
 * Throws `ServiceCallError` when the service can't be reached, is too slow, fails, or refuses this service.
 *
 * Throws `BearerError`. Its code says why. `insufficient_scope`: the subject may not do this. `insufficient_user_authentication`:
 * the user of the subject must log in again for it. `invalid_token`: the token of the subject ended meanwhile or was denied.
 *
 * Throws `AuthorizationServerError` when it could not get a token. A call is never sent without a token.
 */
export class ServiceCaller {
  constructor(
    /** The name that the service was registered with. */
    readonly service: string,
    private readonly transport: ServiceTransport,
    private readonly tokens: Pick<TokenSources, 'get' | 'dropRefused'>,
    private readonly tokenRequest: TokenRequest,
    private readonly observation: CallObservation,
  ) {}

  /** The body of a 2xx answer to GET. */
  async get<T>(path: string, options?: ServiceRequestOptions): Promise<T> {
    return (await this.request<T>('GET', path, undefined, options)).body;
  }

  /** Sends `body` as JSON; the body of a 2xx answer to POST. */
  async post<T>(path: string, body: unknown, options?: ServiceRequestOptions): Promise<T> {
    return (await this.request<T>('POST', path, body, options)).body;
  }

  /** Sends `body` as JSON; the body of a 2xx answer to PUT. */
  async put<T>(path: string, body: unknown, options?: ServiceRequestOptions): Promise<T> {
    return (await this.request<T>('PUT', path, body, options)).body;
  }

  /** Sends `body` as JSON; the body of a 2xx answer to PATCH. */
  async patch<T>(path: string, body: unknown, options?: ServiceRequestOptions): Promise<T> {
    return (await this.request<T>('PATCH', path, body, options)).body;
  }

  /** The body of a 2xx answer to DELETE. */
  async delete<T>(path: string, options?: ServiceRequestOptions): Promise<T> {
    return (await this.request<T>('DELETE', path, undefined, options)).body;
  }

  /** The whole answer of a call that succeeded (2xx). */
  async request<T>(
    method: JsonRequest['method'],
    path: string,
    body?: unknown,
    options: ServiceRequestOptions = {},
  ): Promise<ServiceResponse<T>> {
    const { signal, query, timeoutMs, responseType: answer, forwardStatuses } = options;
    signal?.throwIfAborted();
    if (timeoutMs !== undefined) checkTimeout(timeoutMs);
    if (forwardStatuses !== undefined) checkForwardStatuses(forwardStatuses);
    // Most bodies are plain objects, which need no check.
    if (body !== undefined && Object.getPrototypeOf(Object(body)) !== Object.prototype) checkJsonBody(body);
    const isTold = options.headers !== undefined || options.traceparent !== undefined;
    const headers = isTold ? jsonCallHeaders(options) : undefined;
    // A copy: the call may wait for a token, and may be sent a second time.
    const text = body === undefined ? undefined : JSON.stringify(body);
    // Before it requests a token.
    const target = this.transport.paths.below(query === undefined ? path : withQuery(path, query));
    const exchange = new JsonExchange({ method, headers, body: text, signal, timeoutMs, responseType: answer });
    const sent = await this.send(exchange, target);
    const { response } = sent;
    if (response.status >= 200 && response.status < 300) return response as ServiceResponse<T>;
    throw this.failureOf(sent, exchange, target, forwardStatuses);
  }

  /** For entry points of the library. @internal */
  get paths(): ServicePaths {
    return this.transport.paths;
  }

  /** Sends an exchange with a token. Any status is an answer. `paths` makes `path`. @internal */
  send<Answer extends ServiceAnswer>(exchange: Exchange<Answer>, path: string): Promise<Sent<Answer>> {
    const { service, transport, tokens, tokenRequest } = this;
    const call = { service, method: exchange.method, origin: transport.paths.origin };
    return this.observation.observe(
      call,
      (trace) => sendWithToken(transport, tokens, tokenRequest, exchange, path, trace),
      exchange.signal,
    );
  }

  /** Returns the error for an answer that is not a success. @internal */
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

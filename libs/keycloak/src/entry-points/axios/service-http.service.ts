/** ServiceHttp: Nest's HttpService for one other service, bound to the one in whose name a call is made. */
import { HttpService } from '@nestjs/axios';
import axios, {
  type AxiosInstance,
  type AxiosInterceptorManager,
  type AxiosRequestConfig,
  type CreateAxiosDefaults,
  type InternalAxiosRequestConfig,
} from 'axios';
import type { ServiceCaller, ServiceClient, ServiceOptions, VerifiedAccessToken } from '../../index.js';
import type { ComposedKeycloak } from '../ports/streaming-service.js';
import { checkConfig, type RefusedConfig } from './refused-config.js';
import { isServiceHttpAdapter, serviceHttpAdapter } from './service-http-adapter.js';
import { toServiceError } from './call-error.js';

/** Options of axios that every call of a service begins with. Those that would send a token elsewhere are refused. */
export type ServiceHttpDefaults = Omit<CreateAxiosDefaults, RefusedConfig | 'baseURL' | 'adapter'>;

/** Options of one service: those of `KeycloakModule.forFeature`, with the base URL as axios spells it. */
export interface ServiceHttpOptions extends Omit<ServiceOptions, 'baseUrl' | 'gzip'> {
  /** Where the service is reached; paths are below it. */
  readonly baseURL: string;
  /** What axios begins with: headers, `paramsSerializer`, `validateStatus`, `transformResponse` and so on. */
  readonly defaults?: ServiceHttpDefaults;
}

/**
 * Injected with `@InjectServiceHttp(name)`. It only says in whose name calls are made. Each of its two methods gives Nest's
 * `HttpService`. All methods of that `HttpService` send a token made for this service, to this service alone.
 *
 * It differs from a plain `HttpService` in four points.
 *
 * - An absolute URL that is not below the base URL throws `TypeError`. Options that lead elsewhere throw it, too. These are proxies,
 *   agents, sockets and redirects, and also `auth`, another adapter and headers that say who calls.
 *
 * - A URL is sent as it was given, as by `ServiceCaller`. A dot segment, a backslash, a `#` or a control character throws `TypeError`.
 *
 * - It throws what `ServiceCaller` throws: `ServiceCallError`, `BearerError`, `AuthorizationServerError`. The errors of a call have
 *   `isAxiosError`, as `AxiosError` has. They have `response` if there was one, and they have no `request`. A call that was cancelled
 *   throws axios' `CanceledError`.
 *
 * - The service's `timeoutMs` and `maxResponseBytes` hold beside `timeout` and `maxContentLength`.
 */
export class ServiceHttp {
  /**
   * Interceptors and defaults for all calls to this service: what is bound takes them over when it is made. It sends nothing by
   * itself, since it does not say in whose name.
   */
  readonly axiosRef: AxiosInstance;
  readonly #client: ServiceClient;

  constructor(
    readonly name: string,
    { defaults = {}, ...options }: ServiceHttpOptions,
    keycloak: ComposedKeycloak,
  ) {
    checkConfig(name, defaults as AxiosRequestConfig);
    this.#client = keycloak.service(name, options, { module: 'ServiceHttpModule', baseUrl: 'baseURL' });
    this.axiosRef = axios.create({
      // Of the two that axios knows, the one that can be encoded again for a second try.
      env: { FormData: globalThis.FormData },
      ...(defaults as CreateAxiosDefaults),
      baseURL: options.baseURL,
      adapter: () => Promise.reject(new TypeError(`${name}: a call says in whose name: onBehalfOf(…) or asService(…)`)),
    });
  }

  /**
   * An `HttpService` whose calls are made in this service's own name, with a client-credentials token for `scope` (a space-separated
   * set) or with none. Throws `TypeError` when the scope is empty or malformed.
   */
  asService(scope?: string): HttpService {
    return this.#bound(this.#client.asService(scope));
  }

  /**
   * An `HttpService` whose calls are made for the subject of `token`, which is exchanged for one with `scope`, or with none, at this service's
   * audience. Throws `TypeError` when the scope is empty or malformed.
   */
  onBehalfOf(token: VerifiedAccessToken, scope?: string): HttpService {
    return this.#bound(this.#client.onBehalfOf(token, scope));
  }

  #bound(caller: ServiceCaller): HttpService {
    const adapter = serviceHttpAdapter(caller);
    const bound = this.axiosRef.create({ adapter });
    // Registered first, a request's interceptor runs last, and an answer's first.
    bound.interceptors.request.use(withOurAdapter(this.name));
    bound.interceptors.response.use(undefined, (error: unknown) => Promise.reject(toServiceError(this.name, error)));
    copyInterceptors(this.axiosRef.interceptors.request, bound.interceptors.request);
    // And last, for `legacyInterceptorReqResOrdering: false`, which turns the order round.
    bound.interceptors.request.use(withOurAdapter(this.name));
    copyInterceptors(this.axiosRef.interceptors.response, bound.interceptors.response);
    return new HttpService(bound);
  }
}

/** No call goes out past this library, and so without a token. One that is sent again keeps the one it was sent by. */
const withOurAdapter =
  (name: string) =>
  (config: InternalAxiosRequestConfig): InternalAxiosRequestConfig => {
    if (!isServiceHttpAdapter(config.adapter)) throw new TypeError(`${name}: the adapter is not the caller's to set`);
    return config;
  };

function copyInterceptors<V>(from: AxiosInterceptorManager<V>, to: AxiosInterceptorManager<V>): void {
  // An ejected one leaves a gap.
  for (const handler of from.handlers ?? []) if (handler !== null) to.use(handler.fulfilled, handler.rejected, handler);
}

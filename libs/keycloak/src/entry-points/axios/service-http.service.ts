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

/** Default axios options for every call, without options that would send a token elsewhere. */
export type ServiceHttpDefaults = Omit<CreateAxiosDefaults, RefusedConfig | 'baseURL' | 'adapter'>;

/** Options of one service, as for `KeycloakModule.forFeature`, but with `baseURL` spelled as in axios. */
export interface ServiceHttpOptions extends Omit<ServiceOptions, 'baseUrl' | 'gzip'> {
  /** Base URL of all paths. */
  readonly baseURL: string;
  /** Default axios options: headers, `paramsSerializer`, `validateStatus`, `transformResponse` and so on. */
  readonly defaults?: ServiceHttpDefaults;
}

/**
 * `asService()` and `onBehalfOf()` return a Nest `HttpService`. All of its methods send a token that is issued for the
 * called service, and only to that service.
 *
 * It differs from a plain `HttpService`:
 *
 * - Options for another destination (proxy, agent, socket, adapter, redirects) or caller (`auth`, headers) throw
 *   `TypeError`, as does an absolute URL outside the base URL.
 *
 * - A URL is sent unchanged. A dot segment, a backslash, a `#` or a control character throws `TypeError`.
 *
 * - It throws the errors of `ServiceCaller`. The error of a failed call is a `ServiceHttpError`. A cancelled call
 *   throws axios' `CanceledError`.
 *
 * - The options `timeoutMs` and `maxResponseBytes` of the service apply in addition to `timeout` and
 *   `maxContentLength`.
 */
export class ServiceHttp {
  /**
   * Interceptors and defaults that `asService()` and `onBehalfOf()` copy. A request through this instance is refused,
   * since it has no caller.
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
      // A form of the `form-data` package, the default of axios, can't be encoded again for a second attempt.
      env: { FormData: globalThis.FormData },
      ...(defaults as CreateAxiosDefaults),
      baseURL: options.baseURL,
      adapter: () => Promise.reject(new TypeError(`${name}: choose onBehalfOf(…) or asService(…) for each call`)),
    });
  }

  /**
   * Returns an `HttpService` that calls in this application's own name, with a client-credentials token. Without
   * `scope`, no scope is requested. Throws `TypeError` if `scope`, a space-separated set, is empty or malformed.
   */
  asService(scope?: string): HttpService {
    return this.#bound(this.#client.asService(scope));
  }

  /**
   * Returns an `HttpService` that calls on behalf of the subject of `token`, with an exchanged token.
   *
   * Throws `TypeError` if the scope is empty or malformed, and `AuthorizationServerError` (`no_audience_at_issuer`) if
   * the service has no audience at the token's issuer.
   */
  onBehalfOf(token: VerifiedAccessToken, scope?: string): HttpService {
    return this.#bound(this.#client.onBehalfOf(token, scope));
  }

  #bound(caller: ServiceCaller): HttpService {
    const adapter = serviceHttpAdapter(caller);
    const bound = this.axiosRef.create({ adapter });
    // axios runs request interceptors in reverse order, so this interceptor runs last.
    bound.interceptors.request.use(withOurAdapter(this.name));
    bound.interceptors.response.use(undefined, (error: unknown) => Promise.reject(toServiceError(this.name, error)));
    copyInterceptors(this.axiosRef.interceptors.request, bound.interceptors.request);
    // Registered again, because `legacyInterceptorReqResOrdering: false` reverses the order.
    bound.interceptors.request.use(withOurAdapter(this.name));
    copyInterceptors(this.axiosRef.interceptors.response, bound.interceptors.response);
    return new HttpService(bound);
  }
}

/** Any other adapter would send the call without a token. */
const withOurAdapter =
  (name: string) =>
  (config: InternalAxiosRequestConfig): InternalAxiosRequestConfig => {
    if (!isServiceHttpAdapter(config.adapter)) throw new TypeError(`${name}: callers can't set the adapter`);
    return config;
  };

function copyInterceptors<V>(from: AxiosInterceptorManager<V>, to: AxiosInterceptorManager<V>): void {
  for (const handler of from.handlers ?? []) if (handler !== null) to.use(handler.fulfilled, handler.rejected, handler);
}

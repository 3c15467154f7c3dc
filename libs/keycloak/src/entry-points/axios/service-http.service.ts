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

export type ServiceHttpDefaults = Omit<CreateAxiosDefaults, RefusedConfig | 'baseURL' | 'adapter'>;

/** The options of a service in `KeycloakModule.forFeature`, except that `baseUrl` has axios' name `baseURL`. */
export interface ServiceHttpOptions extends Omit<ServiceOptions, 'baseUrl' | 'gzip'> {
  readonly baseURL: string;
  /** The default axios options: headers, `paramsSerializer`, `validateStatus`, `transformResponse` and so on. */
  readonly defaults?: ServiceHttpDefaults;
}

/**
 * `asService()` and `onBehalfOf()` return a Nest `HttpService` that sends its token only to the called service.
 *
 * This `HttpService` differs from a plain `HttpService`:
 *
 * - A call throws `TypeError` if an option changes the destination (proxy, agent, socket, adapter, redirects) or the
 *   caller (`auth`, headers). A call also throws `TypeError` if an absolute URL is outside the base URL.
 *
 * - A call sends the URL unchanged; dot segments, backslashes, `#` and control characters throw `TypeError`.
 *
 * - A call throws the errors of `ServiceCaller`. A failed call throws a `ServiceHttpError`, and a cancelled call throws
 *   axios' `CanceledError`.
 *
 * - The service's `timeoutMs` and `maxResponseBytes` apply in addition to axios' `timeout` and `maxContentLength`.
 */
export class ServiceHttp {
  /**
   * `asService()` and `onBehalfOf()` copy the interceptors and defaults of this axios instance. A request through
   * `axiosRef` itself fails, since it has no caller.
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
      // Replaces the default of axios, because a form of the package form-data can't be encoded again for a retry.
      env: { FormData: globalThis.FormData },
      ...(defaults as CreateAxiosDefaults),
      baseURL: options.baseURL,
      adapter: () => Promise.reject(new TypeError(`${name}: choose onBehalfOf(…) or asService(…) for each call`)),
    });
  }

  /**
   * Returns an `HttpService` that acts for this application itself. The token has the space-separated scopes of
   * `scope`, or the realm's default scopes.
   *
   * Throws `TypeError` if `scope` is empty, malformed or not declared.
   */
  asService(scope?: string): HttpService {
    return this.#bound(this.#client.asService(scope));
  }

  /**
   * Returns an `HttpService` that calls on behalf of `token`'s subject, with an exchanged token.
   *
   * Throws `TypeError` if the scope is empty, malformed or not declared. Throws `AuthorizationServerError`
   * (`no_audience_at_issuer`) if the service has no audience at the token's issuer.
   */
  onBehalfOf(token: VerifiedAccessToken, scope?: string): HttpService {
    return this.#bound(this.#client.onBehalfOf(token, scope));
  }

  #bound(caller: ServiceCaller): HttpService {
    const adapter = serviceHttpAdapter(caller);
    const bound = this.axiosRef.create({ adapter });
    // axios runs request interceptors in reverse order, so the first registered interceptor runs last.
    bound.interceptors.request.use(withOurAdapter(this.name));
    bound.interceptors.response.use(undefined, (error: unknown) => Promise.reject(toServiceError(this.name, error)));
    copyInterceptors(this.axiosRef.interceptors.request, bound.interceptors.request);
    // The interceptor is registered a second time, because `legacyInterceptorReqResOrdering: false` reverses the order.
    bound.interceptors.request.use(withOurAdapter(this.name));
    copyInterceptors(this.axiosRef.interceptors.response, bound.interceptors.response);
    return new HttpService(bound);
  }
}

/** Throws `TypeError` if the call has another adapter, which would send no token. */
const withOurAdapter =
  (name: string) =>
  (config: InternalAxiosRequestConfig): InternalAxiosRequestConfig => {
    if (!isServiceHttpAdapter(config.adapter)) throw new TypeError(`${name}: callers can't set the adapter`);
    return config;
  };

function copyInterceptors<V>(from: AxiosInterceptorManager<V>, to: AxiosInterceptorManager<V>): void {
  for (const handler of from.handlers ?? []) if (handler !== null) to.use(handler.fulfilled, handler.rejected, handler);
}

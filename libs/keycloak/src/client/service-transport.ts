/** ServiceTransport: one HTTP exchange with one service; whatever goes wrong leaves it as a ServiceCallError. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import axios, { isAxiosError, type AxiosInstance, type AxiosResponse } from 'axios';
import { ServiceCallError } from './service-call-error.js';

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the service's base URL, with a leading slash. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export interface TransportResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface ServiceTransportOptions {
  readonly name: string;
  readonly baseUrl: string;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
}

/** Axios with what is dangerous for a request that carries a token turned off: redirects, proxies, absolute URLs. */
export class ServiceTransport {
  readonly #base: URL;
  readonly #axios: AxiosInstance;

  constructor(private readonly options: ServiceTransportOptions) {
    this.#base = new URL(options.baseUrl);
    this.#axios = axios.create({
      httpAgent: new HttpAgent({ keepAlive: true }),
      httpsAgent: new HttpsAgent({ keepAlive: true }),
      maxRedirects: 0,
      proxy: false,
      decompress: false,
      headers: { Accept: 'application/json', 'Accept-Encoding': 'identity' },
      responseType: 'text',
      transformRequest: (data: unknown) => data,
      transformResponse: (data: unknown) => data,
      maxContentLength: options.maxResponseBytes,
      validateStatus: () => true,
    });
  }

  /** Any status is a response. Throws `ServiceCallError`, or the reason of `request.signal` when that aborted. */
  async send(request: TransportRequest): Promise<TransportResponse> {
    const url = this.#resolve(request.path);
    const deadline = AbortSignal.timeout(this.options.timeoutMs);
    const { method, headers, body, signal } = request;
    const data = body === undefined ? undefined : JSON.stringify(body);
    let response: AxiosResponse<string>;
    try {
      response = await this.#axios.request<string>({
        url,
        method,
        headers: data === undefined ? { ...headers } : { ...headers, 'Content-Type': 'application/json' },
        ...(data === undefined ? {} : { data }),
        signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
      });
    } catch (error) {
      // Axios' error holds the request with its token: only a word of it goes on.
      signal?.throwIfAborted();
      throw deadline.aborted ? this.#error('service_timeout', 'timeout') : this.#transportError(error);
    }
    return {
      status: response.status,
      headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
      body: this.#parse(response),
    };
  }

  /** The path under the base URL; one that leads anywhere else is a programming error, and no request. */
  #resolve(path: string): string {
    const base = this.#base.href.replace(/\/$/, '');
    // Without its slash a path could lengthen the host or the port.
    const url = path.startsWith('/') ? new URL(base + path) : undefined;
    if (url?.origin !== this.#base.origin || !url.href.startsWith(`${base}/`)) {
      throw new TypeError(`A path at ${this.options.name} begins with "/" and stays below its base URL`);
    }
    return url.href;
  }

  #parse({ data, status }: AxiosResponse<string>): unknown {
    if (data === '') return undefined;
    try {
      return JSON.parse(data) as unknown;
    } catch {
      // What an error page says is of no use; a success that is no JSON is a failure.
      if (status >= 400) return undefined;
      throw new ServiceCallError('service_failed', this.options.name, 'answer_not_json', status);
    }
  }

  #transportError(error: unknown): ServiceCallError {
    const code = isAxiosError(error) ? (error.code ?? 'unknown') : 'unknown';
    return code === 'ERR_BAD_RESPONSE'
      ? this.#error('service_failed', 'answer_broken_off_or_too_large')
      : this.#error('service_unavailable', code);
  }

  #error(code: 'service_timeout' | 'service_failed' | 'service_unavailable', reason: string): ServiceCallError {
    return new ServiceCallError(code, this.options.name, reason);
  }
}

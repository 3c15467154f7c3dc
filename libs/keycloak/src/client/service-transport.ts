/** ServiceTransport: one HTTP exchange with one service; whatever goes wrong leaves it as a ServiceCallError. */
import { Axios, AxiosError, isAxiosError, type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { Pool } from 'undici';
import { ServiceCallError } from './service-call-error.js';
import { isConnectionBroken, undiciAdapter } from './undici-adapter.js';

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

/** Methods that may be sent twice (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'PUT', 'DELETE']);

/**
 * Axios over connections to one origin that are kept; without redirects, proxies and absolute URLs, which could take a
 * token elsewhere.
 */
export class ServiceTransport {
  readonly #base: URL;
  readonly #axios: Axios;

  constructor(private readonly options: ServiceTransportOptions) {
    this.#base = new URL(options.baseUrl);
    // The class and not `create()`: of axios' defaults none is needed, and all are merged into every request.
    this.#axios = new Axios({
      adapter: undiciAdapter(new Pool(this.#base.origin, { connect: { timeout: options.timeoutMs } }), {
        accept: 'application/json',
        'accept-encoding': 'identity',
      }),
      timeout: options.timeoutMs,
      maxContentLength: options.maxResponseBytes,
    });
  }

  /** Any status is a response. Throws `ServiceCallError`, or the reason of `request.signal` when that aborted. */
  async send(request: TransportRequest): Promise<TransportResponse> {
    const { method, path, headers, body, signal } = request;
    const data = body === undefined ? undefined : JSON.stringify(body);
    const config = {
      url: this.#resolve(path),
      method,
      headers: data === undefined ? headers : { ...headers, 'Content-Type': 'application/json' },
      ...(data === undefined ? {} : { data }),
      ...(signal === undefined ? {} : { signal }),
    };
    try {
      const response = await this.#exchange(config);
      return { status: response.status, headers: singleHeaders(response), body: this.#parse(response) };
    } catch (error) {
      if (error instanceof ServiceCallError) throw error;
      // The error of axios or undici may hold the request with its token: only a word of it goes on.
      signal?.throwIfAborted();
      throw this.#transportError(error);
    }
  }

  /** A kept connection may be closed by the other side just as a request goes out: what can be sent twice is. */
  async #exchange(config: AxiosRequestConfig & { readonly method: string }): Promise<AxiosResponse<string>> {
    const startMs = performance.now();
    try {
      return await this.#axios.request<string>(config);
    } catch (error) {
      if (!IDEMPOTENT.has(config.method) || !isConnectionBroken(error)) throw error;
      const timeout = Math.max(1, Math.ceil(this.options.timeoutMs - (performance.now() - startMs)));
      return this.#axios.request<string>({ ...config, timeout });
    }
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
    const { code = 'unknown' } = isAxiosError(error) ? error : {};
    if (code === AxiosError.ECONNABORTED) return this.#error('service_timeout', 'timeout');
    return code === AxiosError.ERR_BAD_RESPONSE
      ? this.#error('service_failed', 'answer_broken_off_or_too_large')
      : this.#error('service_unavailable', code);
  }

  #error(code: 'service_timeout' | 'service_failed' | 'service_unavailable', reason: string): ServiceCallError {
    return new ServiceCallError(code, this.options.name, reason);
  }
}

function singleHeaders({ headers }: AxiosResponse): Readonly<Record<string, string>> {
  const single: Record<string, string> = {};
  for (const name of Object.keys(headers)) single[name] = String(headers[name]);
  return single;
}

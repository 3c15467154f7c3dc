/** Undici adapter: lets axios send its requests over an undici pool, at a third of what its own adapter costs. */
import {
  AxiosError,
  AxiosHeaders,
  CanceledError,
  type AxiosAdapter,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import type { Dispatcher } from 'undici';

/**
 * For what `ServiceTransport` needs and no more: an absolute URL at the pool's origin, a text body or none, the answer as
 * text. Redirects are not followed, nothing is decompressed, and no proxy is used. Of the configuration it heeds `method`,
 * `headers`, `data`, `timeout` (one bound on connecting, headers and body), `maxContentLength` and `signal`; any status is
 * a response.
 *
 * Rejects with `CanceledError`, or with `AxiosError`: `ECONNABORTED` at the time-out, `ERR_BAD_RESPONSE` for an answer that
 * broke off or is too large, else the code of the system or of undici; `isConnectionBroken` tells which of those may be
 * the fault of an old connection.
 */
export function undiciAdapter(pool: Dispatcher): AxiosAdapter {
  return async (config) =>
    new Promise((resolve, reject) => {
      const exchange = new Exchange(config, resolve, reject);
      if (!exchange.isOver) pool.dispatch(exchange.request(), exchange);
    });
}

/** Whether the connection ended before the first byte of an answer: as one does that the other side has just closed. */
export function isConnectionBroken(error: unknown): boolean {
  return error instanceof AxiosError && BROKEN.has(error.code ?? '');
}

const BROKEN: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** One request and what becomes of it: settles its promise once, and lets go of timer and signal then. */
class Exchange implements Dispatcher.DispatchHandler {
  isOver = false;
  readonly #chunks: Buffer[] = [];
  readonly #timer: NodeJS.Timeout | undefined;
  #size = 0;
  #response: Omit<AxiosResponse<string>, 'data'> | undefined;
  #controller: Dispatcher.DispatchController | undefined;

  constructor(
    private readonly config: InternalAxiosRequestConfig,
    private readonly resolve: (response: AxiosResponse<string>) => void,
    private readonly reject: (error: Error) => void,
  ) {
    const { timeout = 0, signal } = config;
    if (timeout > 0) this.#timer = setTimeout(() => this.#fail('ECONNABORTED', 'Timed out'), timeout);
    if (signal?.aborted === true) this.#cancel();
    signal?.addEventListener?.('abort', this.#cancel);
  }

  request(): Dispatcher.DispatchOptions {
    const { url = '', method = 'GET', headers, data } = this.config;
    const { origin, pathname, search } = new URL(url);
    return {
      origin,
      path: pathname + search,
      method: method.toUpperCase() as Dispatcher.HttpMethod,
      headers: headers.toJSON() as Record<string, string>,
      body: (data as string | undefined) ?? null,
      // The timer is the one bound.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It waited for a connection, and nobody waits for it any more.
    if (this.isOver) controller.abort(new Error('Over'));
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    statusText = '',
  ): void {
    if (status < 200) return;
    // The names are in lower case already; setting them one by one would search for each.
    this.#response = { status, statusText, headers: Object.assign(new AxiosHeaders(), headers), config: this.config };
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    const { maxContentLength = -1 } = this.config;
    this.#size += chunk.length;
    this.#chunks.push(chunk);
    if (maxContentLength >= 0 && this.#size > maxContentLength) {
      this.#fail(AxiosError.ERR_BAD_RESPONSE, 'The answer is too large');
    }
  }

  onResponseEnd(): void {
    if (this.isOver || this.#response === undefined) return;
    this.#end();
    this.resolve({ ...this.#response, data: Buffer.concat(this.#chunks).toString('utf8') });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
    this.#fail(this.#response === undefined ? code : AxiosError.ERR_BAD_RESPONSE, error.message);
  }

  readonly #cancel = (): void => this.#settle(new CanceledError(undefined, this.config));

  #fail(code: string, message: string): void {
    this.#settle(new AxiosError(message, code, this.config));
  }

  #settle(error: Error): void {
    if (this.isOver) return;
    this.#end();
    this.#controller?.abort(error);
    this.reject(error);
  }

  #end(): void {
    this.isOver = true;
    clearTimeout(this.#timer);
    this.config.signal?.removeEventListener?.('abort', this.#cancel);
  }
}

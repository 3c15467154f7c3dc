/** Undici adapter: lets axios send its requests over an undici pool, which costs less than its own adapter does. */
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
 * text. `headers` (in lower case) go with every request, and don't cost what axios spends on one. Redirects are not
 * followed, nothing is decompressed, and no proxy is used. Of the configuration it heeds `method`, `headers`, `data`,
 * `timeout` (one bound on connecting, headers and body), `maxContentLength` and `signal`; any status is a response.
 *
 * Rejects with `CanceledError`, or with `AxiosError`: `ECONNABORTED` at the time-out, `ERR_BAD_RESPONSE` for an answer that
 * broke off or is too large, else the code of the system or of undici; `isConnectionBroken` tells which of those may be
 * the fault of an old connection.
 */
export function undiciAdapter(pool: Dispatcher, headers: Readonly<Record<string, string>>): AxiosAdapter {
  return async (config) =>
    new Promise((resolve, reject) => {
      const exchange = new Exchange(config, resolve, reject);
      if (!exchange.isOver) pool.dispatch(exchange.request(headers), exchange);
    });
}

/** Whether the connection ended before the first byte of an answer: as one does that the other side has just closed. */
export function isConnectionBroken(error: unknown): boolean {
  return error instanceof AxiosError && BROKEN.has(error.code ?? '');
}

const BROKEN: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** A header that the request sets itself, however it is written, takes the place of ours. */
function merged(
  always: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const all = { ...own };
  const names = Object.keys(own).map((name) => name.toLowerCase());
  for (const name of Object.keys(always)) if (!names.includes(name)) all[name] = always[name] ?? '';
  return all;
}

/** As undici gives them: each name once and in lower case, which axios would see to again for each answer. */
class AnswerHeaders extends AxiosHeaders {
  override normalize(): this {
    return this;
  }
}

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

  request(always: Readonly<Record<string, string>>): Dispatcher.DispatchOptions {
    const { url = '', method = 'GET', headers, data } = this.config;
    const { origin, pathname, search } = new URL(url);
    return {
      origin,
      path: pathname + search,
      method: method.toUpperCase() as Dispatcher.HttpMethod,
      headers: merged(always, headers.toJSON() as Record<string, string>),
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
    const answered = Object.assign(new AnswerHeaders(), headers);
    this.#response = { status, statusText, headers: answered, config: this.config };
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

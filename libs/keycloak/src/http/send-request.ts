/** Send request: one HTTP request over kept-alive connections and its whole answer, bounded in time and size. */
import type { Dispatcher } from 'undici';
import { TimeLimit } from '../caching/time-limit.js';
import { connectionFailure, type ConnectionFailure } from '../protocol/connection-failures.js';
import { CollectedBody } from './collected-body.js';
import { ProxyFailure } from './forward-proxy.js';
import type { Connections } from './network.js';

export interface HttpRequest {
  readonly origin: string;
  readonly method: Dispatcher.HttpMethod;
  /** With its query; sent as it is. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: string[];
  /** Undefined for none. */
  readonly body: string | undefined;
  /** One bound on connecting, headers and body; undefined where `signal` is one. */
  readonly timeoutMs: number | undefined;
  readonly maxResponseBytes: number;
  readonly signal: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case, each once. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * - `timeout`: no whole answer in time.
 * - `answer_too_large`: it had more bytes than were wanted; the rest was not read.
 * - `answer_broken_off`: its connection broke, or it was no HTTP any more, after its status had come.
 * - any other: the code of the system or of undici, such as `ECONNREFUSED`; no answer had begun.
 */
export type HttpFailureReason = 'timeout' | 'answer_too_large' | 'answer_broken_off' | ConnectionFailure;

export class HttpFailure extends Error {
  constructor(
    readonly reason: HttpFailureReason,
    /** With `connection_failed`: the code that is not in the list. Node or undici made it, not the other side. Of a certificate: OpenSSL's words. Of a proxy: its status, or a code. */
    readonly detail?: string,
  ) {
    super(reason);
  }

  /** The connection ended before the first byte of an answer, as a kept one does that the other side has just closed. */
  get isConnectionBroken(): boolean {
    return BROKEN.has(this.reason);
  }
}

/**
 * Any status is an answer. Redirects are not followed, and nothing is decompressed.
 *
 * Rejects with `HttpFailure`, or with the reason of `signal` when that aborted. Neither holds the request. With
 * `TypeError` for an invalid request: no connection has failed.
 */
export function sendRequest(connections: Connections, request: HttpRequest): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    request.signal?.throwIfAborted();
    const { origin, method, path, headers, body = null } = request;
    const pending = new PendingRequest(request, resolve, reject);
    try {
      // Its own time-outs are off: there is one bound on everything.
      connections.dispatch({ origin, method, path, headers, body, headersTimeout: 0, bodyTimeout: 0 }, pending);
    } catch (error) {
      pending.onResponseError(undefined, error);
    }
  });
}

const BROKEN: ReadonlySet<HttpFailureReason> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** As undici gives them. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Settles its promise once, and lets go of timer and signal then. */
class PendingRequest implements Dispatcher.DispatchHandler {
  readonly #limit: TimeLimit | undefined;
  readonly #body: CollectedBody;
  #isOver = false;
  #answer: { readonly status: number; readonly headers: ResponseHeaders } | undefined;
  #controller: Dispatcher.DispatchController | undefined;

  constructor(
    private readonly request: HttpRequest,
    private readonly resolve: (response: HttpResponse) => void,
    private readonly reject: (error: Error) => void,
  ) {
    const { timeoutMs, signal, maxResponseBytes } = request;
    this.#body = new CollectedBody(maxResponseBytes);
    if (timeoutMs !== undefined) this.#limit = new TimeLimit(timeoutMs, () => this.#fail(new HttpFailure('timeout')));
    signal?.addEventListener('abort', this.#abort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It waited for a connection, and nobody waits for it any more.
    if (this.#isOver) controller.abort(new Error('Over'));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    if (status >= 200) this.#answer = { status, headers };
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    if (!this.#body.add(chunk)) this.#fail(new HttpFailure('answer_too_large'));
  }

  onResponseEnd(): void {
    if (this.#isOver || this.#answer === undefined) return;
    const { status, headers } = this.#answer;
    this.#end();
    this.resolve({ status, headers: single(headers), body: this.#body.bytes });
  }

  onResponseError(_: unknown, error: unknown): void {
    this.#fail(this.#answer === undefined ? connectionError(error) : new HttpFailure('answer_broken_off'));
  }

  readonly #abort = (): void => this.#fail(this.request.signal?.reason as Error);

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#end();
    this.#controller?.abort(error);
    this.reject(error);
  }

  #end(): void {
    this.#isOver = true;
    this.#limit?.clear();
    this.request.signal?.removeEventListener('abort', this.#abort);
  }
}

/** What undici says of a request that it does not send, such as one with a header that is not the caller's to set. */
const NO_REQUEST: ReadonlySet<unknown> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);

/** Of an exchange that failed before its answer began. */
export function connectionError(error: unknown): HttpFailure | TypeError {
  if (error instanceof ProxyFailure) return new HttpFailure(error.reason, error.detail);
  const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: string };
  if (NO_REQUEST.has(code)) return new TypeError(`This can't be sent as a request (${String(code)})`);
  // By connections that keep a time of their own.
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return new HttpFailure('timeout');
  const reason = connectionFailure(code);
  if (reason === 'certificate_refused') return new HttpFailure(reason, message);
  return new HttpFailure(reason, reason === 'connection_failed' && typeof code === 'string' ? code : undefined);
}

/** As undici gives them, but for those that came more than once. */
export function single(headers: ResponseHeaders): Readonly<Record<string, string>> {
  for (const name of Object.keys(headers)) {
    if (typeof headers[name] === 'string') continue;
    return Object.fromEntries(Object.entries(headers).map(([each, value]) => [each, String(value)]));
  }
  // As a rule none did, and nothing is copied (perf: service-client).
  return headers as Readonly<Record<string, string>>;
}

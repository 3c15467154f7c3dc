import type { Dispatcher } from 'undici';
import { TimeLimit } from '../caching/time-limit.js';
import { connectionFailure, type ConnectionFailure } from '../protocol/connection-failures.js';
import { CollectedBody } from './collected-body.js';
import { ProxyFailure } from './forward-proxy.js';
import type { Connections } from './network.js';

export interface HttpRequest {
  readonly origin: string;
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  /** A flat list in which header names and values alternate. */
  readonly headers: string[];
  readonly body: string | undefined;
  /** The time limit for the connection, the headers and the body together. */
  readonly timeoutMs: number | undefined;
  readonly maxResponseBytes: number;
  readonly signal: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  /** The header names are lower-case and unique. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * - `timeout`: the answer was not complete in time.
 * - `answer_too_large`: more than `maxResponseBytes`; the rest was not read.
 * - `answer_broken_off`: the connection failed, or the answer became invalid HTTP, after the status line.
 * - any other reason: a code of the system or of undici, before an answer began.
 */
export type HttpFailureReason = 'timeout' | 'answer_too_large' | 'answer_broken_off' | ConnectionFailure;

export class HttpFailure extends Error {
  constructor(
    readonly reason: HttpFailureReason,
    /**
     * Contains the original code (`connection_failed`), OpenSSL's message (`certificate_refused`), or a proxy's status
     * or error code.
     */
    readonly detail?: string,
  ) {
    super(reason);
  }

  /** Whether the connection broke before the first byte of an answer arrived. */
  get isConnectionBroken(): boolean {
    return BROKEN.has(this.reason);
  }
}

/**
 * Follows no redirect, and does not decompress the answer.
 *
 * Rejects with `HttpFailure` or `signal`'s reason. An invalid request causes `TypeError`. No error contains the
 * request.
 */
export function sendRequest(connections: Connections, request: HttpRequest): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    request.signal?.throwIfAborted();
    const { origin, method, path, headers, body = null } = request;
    const pending = new PendingRequest(request, resolve, reject);
    try {
      // undici's time-outs are off, because `timeoutMs` covers the whole request.
      connections.dispatch({ origin, method, path, headers, body, headersTimeout: 0, bodyTimeout: 0 }, pending);
    } catch (error) {
      pending.onResponseError(undefined, error);
    }
  });
}

const BROKEN: ReadonlySet<HttpFailureReason> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

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
    // The request timed out or was aborted while it waited for a connection.
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

const NO_REQUEST: ReadonlySet<unknown> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);

export function connectionError(error: unknown): HttpFailure | TypeError {
  if (error instanceof ProxyFailure) return new HttpFailure(error.reason, error.detail);
  const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: string };
  if (NO_REQUEST.has(code)) return new TypeError(`The request can't be sent (${String(code)})`);
  // Only a custom dispatcher with its own time-outs causes `UND_ERR_HEADERS_TIMEOUT`.
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return new HttpFailure('timeout');
  const reason = connectionFailure(code);
  if (reason === 'certificate_refused') return new HttpFailure(reason, message);
  return new HttpFailure(reason, reason === 'connection_failed' && typeof code === 'string' ? code : undefined);
}

export function single(headers: ResponseHeaders): Readonly<Record<string, string>> {
  for (const name of Object.keys(headers)) {
    if (typeof headers[name] === 'string') continue;
    return Object.fromEntries(Object.entries(headers).map(([each, value]) => [each, String(value)]));
  }
  // Usually no header is repeated, so the headers are not copied (perf: service-client).
  return headers as Readonly<Record<string, string>>;
}

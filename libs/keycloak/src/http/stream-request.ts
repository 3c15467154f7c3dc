import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { TimeLimit } from '../caching/time-limit.js';
import { AnswerBody } from './answer-body.js';
import { piecesOf } from './body-pieces.js';
import type { Connections } from './network.js';
import { connectionError, HttpFailure, single, type ResponseHeaders } from './send-request.js';

export type RequestBody = string | Uint8Array | Readable | undefined;

export interface StreamRequest {
  readonly origin: string;
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly headers: string[];
  readonly body: RequestBody;
  readonly timeoutMs: number;
  /** Whether received and sent bytes restart the time limit `silenceMs`. */
  readonly isRenewed: boolean;
  readonly silenceMs: number;
  readonly signal: AbortSignal | undefined;
  readonly maxResponseBytes: (status: number) => number;
  /** Whether the caller collects the whole answer; received chunks then do not restart `silenceMs`. */
  readonly isCollected: (status: number) => boolean;
  readonly errorOf: (failure: HttpFailure) => Error;
  readonly onSent: ((bytes: number) => void) | undefined;
  readonly onReceived: ((bytes: number, headers: Readonly<Record<string, string>>) => void) | undefined;
}

export interface StreamedResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly allHeaders: ResponseHeaders;
  /** To abort the exchange, destroy the body. */
  readonly body: Readable;
  /** Fulfils when no more data will flow, even if the answer was not read. */
  readonly over: Promise<void>;
}

export const OWN_BODY = 'the body of the request did not come';

const UNREAD_MS = 60_000;

/**
 * Follows no redirect, and does not decompress the answer.
 *
 * Rejects with `HttpFailure`, `signal.reason`, or `TypeError` (for an invalid request). No error contains the request.
 * The answer's stream fails with the same errors, except that `errorOf` maps each `HttpFailure`. The request body is
 * never destroyed, because it may be an incoming request that still needs an answer.
 */
export async function streamRequest(connections: Connections, request: StreamRequest): Promise<StreamedResponse> {
  return new Promise((resolve, reject) => {
    request.signal?.throwIfAborted();
    const { origin, method, path, headers } = request;
    const exchange = new Exchange(request, resolve, reject);
    const body = exchange.sentBody();
    try {
      // undici's time-outs are off, because they ignore the sent bytes of the body.
      connections.dispatch({ origin, method, path, headers, body, headersTimeout: 0, bodyTimeout: 0 }, exchange);
    } catch (error) {
      exchange.onResponseError(undefined, error);
    }
  });
}

class Exchange implements Dispatcher.DispatchHandler {
  #limit: TimeLimit;
  #isComplete = false;
  #isCollected = false;
  /** A time-out while the exchange waits for the request body is not the server's fault. */
  #isWaitingForBody = false;
  #tellOver: () => void = () => undefined;
  #isOver = false;
  #answer: AnswerBody | undefined;
  #size = 0;
  #bound = Infinity;
  #received: (bytes: number) => void = () => undefined;
  #sent: Readable | undefined;
  #ofBody: unknown;
  #controller: Dispatcher.DispatchController | undefined;

  constructor(
    private readonly request: StreamRequest,
    private readonly resolve: (response: StreamedResponse) => void,
    private readonly reject: (error: Error) => void,
  ) {
    this.#limit = new TimeLimit(request.timeoutMs, this.#timeOut);
    request.signal?.addEventListener('abort', this.#abort);
  }

  sentBody(): string | Uint8Array | Readable | null {
    const { body } = this.request;
    if (!(body instanceof Readable)) return body ?? null;
    const pieces = piecesOf(body, {
      taken: (bytes) => {
        this.#hasProgress('body');
        this.request.onSent?.(bytes);
      },
      waits: (isWaiting) => (this.#isWaitingForBody = isWaiting),
    });
    // As long as undici reads the body, undici reports an error of the body before this listener does.
    this.#sent = Readable.from(this.#whole(pieces), { objectMode: false }).on('error', (error) => {
      if (error === this.#ofBody) setImmediate(() => this.#fail(error));
    });
    return this.#sent;
  }

  /** Remembers an error of the body, because undici would report it as an error of the connection. */
  async *#whole(pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* pieces;
    } catch (error) {
      this.#ofBody = error;
      throw error;
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new Error('Over'));
    else if (typeof this.request.body === 'string' || this.request.body instanceof Uint8Array) {
      this.request.onSent?.(Buffer.byteLength(this.request.body));
    }
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: ResponseHeaders,
    statusText = '',
  ): void {
    if (status < 200 || this.#isOver) return;
    this.#hasProgress('answer');
    const named = single(headers);
    this.#isCollected = this.request.isCollected(status);
    this.#bound = this.request.maxResponseBytes(status);
    this.#received = (bytes) => this.request.onReceived?.(bytes, named);
    this.#answer = new AnswerBody({
      wanted: () => {
        if (this.#isComplete) return;
        this.#hasProgress('answer');
        controller.resume();
      },
      closed: () => this.#end(),
    });
    const over = new Promise<void>((resolve) => (this.#tellOver = resolve));
    this.resolve({ status, statusText, headers: named, allHeaders: headers, body: this.#answer, over });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    this.#hasProgress('answer');
    this.#size += chunk.length;
    if (this.#size > this.#bound) {
      this.#fail(new HttpFailure('answer_too_large'));
      return;
    }
    this.#received(chunk.length);
    if (this.#answer?.push(chunk) !== false) return;
    controller.pause();
    this.#waitForReader();
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    this.#isComplete = true;
    const answer = this.#answer;
    // The time limit ends here, because the rest of the answer is buffered.
    this.#end();
    answer?.push(null);
  }

  onResponseError(_: unknown, error: unknown): void {
    if (error === this.#ofBody) this.#fail(error as Error);
    else this.#fail(this.#answer === undefined ? connectionError(error) : new HttpFailure('answer_broken_off'));
  }

  readonly #abort = (): void => this.#fail(this.request.signal?.reason as Error);
  readonly #timeOut = (): void => this.#fail(new HttpFailure('timeout', this.#isWaitingForBody ? OWN_BODY : undefined));

  #hasProgress(by: 'answer' | 'body'): void {
    if (by === 'answer' && this.#isCollected) return;
    if (this.request.isRenewed) this.#restart(this.request.silenceMs);
  }

  #waitForReader(): void {
    // The timer is unreferenced, because a stream that nobody reads must not keep the process alive.
    if (this.request.isRenewed && !this.#isCollected) this.#restart(UNREAD_MS)?.unref();
  }

  #restart(ms: number): TimeLimit | undefined {
    if (this.#isOver) return undefined;
    this.#limit.clear();
    return (this.#limit = new TimeLimit(ms, this.#timeOut));
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    if (this.#answer === undefined) {
      this.#end();
      this.reject(error);
    } else this.#answer.destroy(error instanceof HttpFailure ? this.request.errorOf(error) : error);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#limit.clear();
    this.request.signal?.removeEventListener('abort', this.#abort);
    if (!this.#isComplete) this.#controller?.abort(new Error('Over'));
    this.#sent?.destroy();
    this.#tellOver();
  }
}

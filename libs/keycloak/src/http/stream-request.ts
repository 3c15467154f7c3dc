/** Stream request: one HTTP request whose body and answer may be streams, bounded by the time without progress. */
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
  /** With its query; sent as it is. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: RequestBody;
  /** Bound on the whole exchange, or on the time until something is sent or comes. */
  readonly timeoutMs: number;
  /** What begins a new time of `silenceMs`; nothing in a bound on the whole. */
  readonly renewedBy: 'nothing' | 'answer' | 'both';
  readonly silenceMs: number;
  readonly signal: AbortSignal | undefined;
  /** Bound on an answer with this status. */
  readonly maxResponseBytes: (status: number) => number;
  /** Whether an answer with this status is wanted as a whole: it has one time from its begin on, and not one for each byte. */
  readonly isCollected: (status: number) => boolean;
  /** The error with which the stream of the answer fails. */
  readonly errorOf: (failure: HttpFailure) => Error;
  /** Bytes that are taken from the body just now. */
  readonly onSent: ((bytes: number) => void) | undefined;
  /** Bytes of the answer that come just now. */
  readonly onReceived: ((bytes: number, headers: Readonly<Record<string, string>>) => void) | undefined;
}

export interface StreamedResponse {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case, each once. */
  readonly headers: Readonly<Record<string, string>>;
  readonly allHeaders: ResponseHeaders;
  /** As it comes, with back pressure. Destroy it to end the exchange. */
  readonly body: Readable;
  /** Fulfilled when nothing more will be sent or come, whether it was read or not. */
  readonly over: Promise<void>;
}

/** The detail of a time-out in which the body of the request was waited for. */
export const OWN_BODY = 'the body of the request did not come';

/** How long a stream may wait for its reader, who holds a connection meanwhile. */
const UNREAD_MS = 60_000;

/**
 * Any status is an answer, which is given out as soon as its headers are there. Redirects are not followed, and nothing is decompressed.
 *
 * Rejects with `HttpFailure`, with the reason of `signal` when that aborted, or with `TypeError` for an invalid request. None holds the
 * request. The stream of the answer fails with the same, but for `HttpFailure`: then with what `errorOf` makes of it. Either
 * fails with the error of a body that fails by itself. That body is never destroyed here, since it may be a request that is still to be answered.
 */
export async function streamRequest(connections: Connections, request: StreamRequest): Promise<StreamedResponse> {
  return new Promise((resolve, reject) => {
    request.signal?.throwIfAborted();
    const { origin, method, path, headers } = request;
    const exchange = new Exchange(request, resolve, reject);
    const body = exchange.sentBody();
    try {
      // Its own time-outs are off: they know nothing of a body that is still being sent.
      connections.dispatch({ origin, method, path, headers, body, headersTimeout: 0, bodyTimeout: 0 }, exchange);
    } catch (error) {
      exchange.onResponseError(undefined, error);
    }
  });
}

/** Ends once: with the end of its answer's stream, or with an error. */
class Exchange implements Dispatcher.DispatchHandler {
  #limit: TimeLimit | undefined;
  #isComplete = false;
  #isCollected = false;
  /** The next piece of the body is not there yet: how long that takes says nothing of the other side. */
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

  /** The body as undici takes it; what it takes of a stream is progress. */
  sentBody(): string | Uint8Array | Readable | null {
    const { body } = this.request;
    if (!(body instanceof Readable)) return body ?? null;
    const pieces = piecesOf(body, {
      taken: (bytes) => {
        this.#hasProgress('both');
        this.request.onSent?.(bytes);
      },
      waits: (isWaiting) => (this.#isWaitingForBody = isWaiting),
    });
    // undici hears of it, too, and first, wherever it reads the body.
    this.#sent = Readable.from(this.#whole(pieces), { objectMode: false }).on('error', (error) => {
      if (error === this.#ofBody) setImmediate(() => this.#fail(error));
    });
    return this.#sent;
  }

  /** Notes what the body itself fails with: undici says it of the request, as it says what the connection fails with. */
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
    // It waited for a connection, and nobody waits for it any more.
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
    // What is left to read is here, and may be read at leisure.
    this.#end();
    answer?.push(null);
  }

  onResponseError(_: unknown, error: unknown): void {
    if (error === this.#ofBody) this.#fail(error as Error);
    else this.#fail(this.#answer === undefined ? connectionError(error) : new HttpFailure('answer_broken_off'));
  }

  readonly #abort = (): void => this.#fail(this.request.signal?.reason as Error);
  readonly #timeOut = (): void => this.#fail(new HttpFailure('timeout', this.#isWaitingForBody ? OWN_BODY : undefined));

  #hasProgress(by: 'answer' | 'both'): void {
    const { renewedBy, silenceMs } = this.request;
    if (by === 'answer' && this.#isCollected) return;
    if (renewedBy === 'both' || renewedBy === by) this.#restart(silenceMs);
  }

  #waitForReader(): void {
    // A stream that is never read keeps no process.
    if (this.request.renewedBy !== 'nothing' && !this.#isCollected) this.#restart(UNREAD_MS)?.unref();
  }

  #restart(ms: number): TimeLimit | undefined {
    if (this.#isOver) return undefined;
    this.#limit?.clear();
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
    this.#limit?.clear();
    this.request.signal?.removeEventListener('abort', this.#abort);
    if (!this.#isComplete) this.#controller?.abort(new Error('Over'));
    this.#sent?.destroy();
    this.#tellOver();
  }
}

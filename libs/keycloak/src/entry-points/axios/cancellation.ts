/** Cancellation: what ends a call before its answer: its signal, its cancel token, its time, a body that failed. */
import { CanceledError, isCancel, type InternalAxiosRequestConfig } from 'axios';
import { letManyListen } from '../ports/streaming-service.js';

export class Cancellation {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  /** A call that was cancelled ends with the error that axios has for it. */
  constructor(private readonly config: InternalAxiosRequestConfig) {
    const { signal, cancelToken } = config;
    if (signal?.aborted === true) this.#cancel();
    letManyListen(signal as AbortSignal | undefined);
    signal?.addEventListener?.('abort', this.#cancel);
    cancelToken?.subscribe(this.#cancel);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the call with this error. What ended it first counts. */
  readonly abort = (reason: Error): void => this.#controller.abort(reason);

  /** Ends it with this error, unless its answer has begun by then. */
  after(ms: number, reason: () => Error): void {
    this.#timer = setTimeout(() => this.abort(reason()), ms);
  }

  /** The answer has begun: its time is no longer that of the call. */
  answered(): void {
    clearTimeout(this.#timer);
  }

  /** The call is over: nothing ends it any more. */
  end(): void {
    this.answered();
    const { signal, cancelToken } = this.config;
    signal?.removeEventListener?.('abort', this.#cancel);
    cancelToken?.unsubscribe(this.#cancel);
  }

  readonly #cancel = (reason?: unknown): void =>
    this.abort(isCancel(reason) ? (reason as unknown as Error) : new CanceledError(undefined, this.config));
}

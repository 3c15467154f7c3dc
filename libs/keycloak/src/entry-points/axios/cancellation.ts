import { CanceledError, isCancel, type InternalAxiosRequestConfig } from 'axios';
import { letManyListen } from '../ports/streaming-service.js';

export class Cancellation {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

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

  readonly abort = (reason: Error): void => this.#controller.abort(reason);

  after(ms: number, reason: () => Error): void {
    this.#timer = setTimeout(() => this.abort(reason()), ms);
  }

  /** Stops the timeout of the call, because the timeout does not apply to a streamed response body. */
  answered(): void {
    clearTimeout(this.#timer);
  }

  end(): void {
    this.answered();
    const { signal, cancelToken } = this.config;
    signal?.removeEventListener?.('abort', this.#cancel);
    cancelToken?.unsubscribe(this.#cancel);
  }

  readonly #cancel = (reason?: unknown): void =>
    this.abort(isCancel(reason) ? (reason as unknown as Error) : new CanceledError(undefined, this.config));
}

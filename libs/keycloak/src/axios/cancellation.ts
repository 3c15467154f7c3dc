/** Cancellation: ends a call by its signal or its cancel token, with the error that axios has for it. */
import { CanceledError, type InternalAxiosRequestConfig } from 'axios';

export class Cancellation {
  readonly #controller = new AbortController();

  constructor(private readonly config: InternalAxiosRequestConfig) {
    const { signal, cancelToken } = config;
    if (signal?.aborted === true) this.#cancel();
    signal?.addEventListener?.('abort', this.#cancel);
    cancelToken?.subscribe(this.#cancel);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** The call is over: nothing ends it any more. */
  end(): void {
    const { signal, cancelToken } = this.config;
    signal?.removeEventListener?.('abort', this.#cancel);
    cancelToken?.unsubscribe(this.#cancel);
  }

  readonly #cancel = (): void => this.abort(new CanceledError(undefined, this.config));
}

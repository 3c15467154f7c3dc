import type { FaultyEndpoint } from './fault.js';
import type { HttpCall } from './http-call.js';

export type ReceivedRequest = Readonly<Pick<HttpCall, 'method' | 'url' | 'authorization' | 'form'>>;

export class LastRequests {
  readonly #requests = new Map<FaultyEndpoint, ReceivedRequest>();

  note(endpoint: FaultyEndpoint, { method, url, authorization, form }: HttpCall): void {
    this.#requests.set(endpoint, { method, url, authorization, form });
  }

  of(endpoint: FaultyEndpoint): ReceivedRequest | undefined {
    return this.#requests.get(endpoint);
  }
}

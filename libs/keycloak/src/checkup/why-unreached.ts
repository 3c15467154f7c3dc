/** Why unreached: whether anything answers where a next service should be. */
import type { Network, ServiceAddress } from '../http/network.js';
import { HttpFailure, sendRequest } from '../http/send-request.js';
import { connectionHint } from '../protocol/connection-failures.js';

const MAX_ANSWER_BYTES = 1024 * 1024;

export interface Unreached {
  /** The reason, such as `ECONNREFUSED`, as the end of a sentence. */
  readonly words: string;
  /** What to do about it, where the reason says so. */
  readonly cure: string | undefined;
}

/** Sends one `GET` to its base URL, without a token. Undefined for any answer. */
export async function whyUnreached(service: ServiceAddress, network: Network): Promise<Unreached | undefined> {
  const { origin, pathname } = new URL(service.baseUrl);
  try {
    await sendRequest(network.toService(service), {
      origin,
      method: 'GET',
      path: pathname,
      headers: [],
      body: undefined,
      timeoutMs: service.timeoutMs,
      maxResponseBytes: MAX_ANSWER_BYTES,
      signal: undefined,
    });
    return undefined;
  } catch (failure) {
    if (!(failure instanceof HttpFailure)) throw failure;
    const { reason, detail } = failure;
    // What answers too much, or breaks off, is there.
    if (reason.startsWith('answer_')) return undefined;
    return { words: detail === undefined ? reason : `${reason} (${detail})`, cure: connectionHint(reason).hint };
  }
}

/** Why unreached: whether anything answers where a next service should be. */
import type { Network, ServiceAddress } from '../http/network.js';
import { HttpFailure, sendRequest } from '../http/send-request.js';

const MAX_ANSWER_BYTES = 1024 * 1024;

/** Sends one `GET` to its base URL, without a token. Undefined for any answer; else the reason, such as `ECONNREFUSED`. */
export async function whyUnreached(service: ServiceAddress, network: Network): Promise<string | undefined> {
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
    // What answers too much, or breaks off, is there.
    if (failure.reason.startsWith('answer_')) return undefined;
    return failure.detail === undefined ? failure.reason : `${failure.reason} (${failure.detail})`;
  }
}

import type { Network, ServiceAddress } from '../http/network.js';
import { HttpFailure, sendRequest } from '../http/send-request.js';
import { connectionHint } from '../protocol/connection-failures.js';

const MAX_ANSWER_BYTES = 1024 * 1024;

export interface Unreached {
  /** The reason for the failure, as the last words of a sentence, for example `ECONNREFUSED`. */
  readonly words: string;
  readonly cure: string | undefined;
}

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
    // The reasons `answer_…` mean that a server answered, but the answer was too large or incomplete.
    if (reason.startsWith('answer_')) return undefined;
    return { words: detail === undefined ? reason : `${reason} (${detail})`, cure: connectionHint(reason).hint };
  }
}

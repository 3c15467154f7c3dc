import { HttpFailure, sendRequest, type HttpResponse } from '../../http/send-request.js';
import { Network, type TrustedAuthorities } from '../../http/network.js';
import type { EnforcementStatus } from '../../module/keycloak-status.js';
import { enforcementIn } from './enforcement-in.js';

const TIMEOUT_MS = 10_000;

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export type ReadDetails = { readonly url: string } & (
  { readonly enforcement: EnforcementStatus } | { readonly unread: string }
);

export interface DetailsAccess {
  readonly token: string | undefined;
  readonly tls: TrustedAuthorities;
}

/** Follows no redirect, because the redirected request would carry the token. */
export async function readDetails(url: string, { token, tls }: DetailsAccess): Promise<ReadDetails> {
  const { origin, pathname, search } = new URL(url);
  const address = { name: origin, baseUrl: origin, timeoutMs: TIMEOUT_MS, maxConcurrentCalls: 1, tls };
  try {
    const answer = await sendRequest(new Network().toService(address), {
      origin,
      method: 'GET',
      path: pathname + search,
      headers: ['accept', 'application/json', ...(token === undefined ? [] : ['authorization', `Bearer ${token}`])],
      body: undefined,
      timeoutMs: TIMEOUT_MS,
      maxResponseBytes: MAX_ANSWER_BYTES,
      signal: undefined,
    });
    return { url, ...contentOf(answer) };
  } catch (failure) {
    if (!(failure instanceof HttpFailure)) throw failure;
    return { url, unread: `no answer (${failure.reason})` };
  }
}

/** Terminus answers with 503 if any part of a service is down, and its details name this part. */
const READABLE = [200, 503];

function contentOf({ status, body }: HttpResponse): { enforcement: EnforcementStatus } | { unread: string } {
  if (status === 401 || status === 403) return { unread: `the answer is ${status}: the details need another token` };
  if (!READABLE.includes(status)) return { unread: `the answer is ${status}` };
  const enforcement = enforcementIn(body.toString());
  return enforcement === undefined
    ? { unread: 'the answer has no enforcement, so it comes from another page or an older version' }
    : { enforcement };
}

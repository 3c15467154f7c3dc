/** Bounded fetch: one request to the authorization server over a kept-alive pool, whose answer is bounded and plain JSON. */
import type { CustomFetchOptions } from 'oauth4webapi';
import { sendRequest, HttpFailure, type HttpResponse } from '../http/send-request.js';
import type { Connections } from '../http/network.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import { isStrictJson } from './strict-json.js';

const MAX_ANSWER_BYTES = 1024 * 1024;

/** RFC 8259 defines no charset for JSON; one that is named must be the one there is. */
const JSON_CONTENT_TYPE = /^application\/json(?: *; *charset="?utf-8"?)? *$/i;

type RequestOptions = CustomFetchOptions<'GET' | 'POST', URLSearchParams | undefined>;

/**
 * A `fetch` for the OAuth library. The answer is read whole before it is given on, so the deadline of the request's signal
 * covers the body too; one over 1 MiB is dropped, and a success must be JSON, strictly. Redirects are not followed and
 * nothing is decompressed. Any failure on the way is `authorization_server_unavailable`; the error of the transport, which
 * may hold the request, stays here.
 */
export function boundedFetch(connections: Connections): (url: string, options: RequestOptions) => Promise<Response> {
  return async (url, options) => {
    const answer = await boundedExchange(connections, new URL(url), { ...options, body: options.body?.toString() });
    const { status, headers, body } = answer;
    if (status >= 200 && status < 300) {
      if (!isJson(headers['content-type'])) throw unavailable('answer_not_json');
      if (!isStrictJson(body)) throw unavailable('answer_not_strict_json');
    }
    return asResponse(answer);
  };
}

export interface BoundedRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * As above, whatever the answer is. Throws `AuthorizationServerError` `authorization_server_unavailable` when there is none, and
 * `TypeError` for what can't be sent.
 */
export async function boundedExchange(
  connections: Connections,
  { origin, pathname, search }: URL,
  { method, headers, body, signal }: BoundedRequest,
): Promise<HttpResponse> {
  try {
    return await sendRequest(connections, {
      origin,
      method,
      path: pathname + search,
      headers: Object.entries(headers).flat(),
      body,
      timeoutMs: undefined,
      maxResponseBytes: MAX_ANSWER_BYTES,
      signal,
    });
  } catch (error) {
    if (error instanceof AuthorizationServerError || error instanceof TypeError) throw error;
    if (error instanceof HttpFailure) throw unavailable(error.reason, error.detail);
    throw unavailable('connection_failed');
  }
}

export const isJson = (contentType: string | undefined): boolean => JSON_CONTENT_TYPE.test(contentType ?? '');

/** Throws for what a `Response` can't be, such as a 205 with a body. */
export function asResponse({ status, headers, body }: HttpResponse): Response {
  return new Response(body.length === 0 ? null : new Uint8Array(body), { status, headers });
}

function unavailable(reason: AuthorizationServerErrorReason, detail?: string): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_unavailable', { reason, detail });
}

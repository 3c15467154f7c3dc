/** Bounded fetch: one request to the authorization server over a kept-alive pool, whose answer is bounded and plain JSON. */
import type { CustomFetchOptions } from 'oauth4webapi';
import type { Dispatcher } from 'undici';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { isStrictJson } from './strict-json.js';

const MAX_ANSWER_BYTES = 1024 * 1024;

/** RFC 8259 defines no charset for JSON; one that is named must be the one there is. */
const JSON_CONTENT_TYPE = /^application\/json *(; *charset="?utf-8"?)? *$/i;

type RequestOptions = CustomFetchOptions<'GET' | 'POST', URLSearchParams | undefined>;

/**
 * A `fetch` for the OAuth library. The answer is read whole before it is given on, so the deadline of the request's signal
 * covers the body too; one over 1 MiB is dropped, and a success must be JSON, strictly. Redirects are not followed and
 * nothing is decompressed. Any failure on the way is `authorization_server_unavailable`; the error of the transport, which
 * may hold the request, stays here.
 */
export function boundedFetch(pool: Dispatcher): (url: string, options: RequestOptions) => Promise<Response> {
  return async (url, { method, headers, body: form, signal }) => {
    try {
      const { origin, pathname, search } = new URL(url);
      const answer = await pool.request({
        origin,
        path: pathname + search,
        method,
        headers,
        body: form === undefined ? null : form.toString(),
        signal: signal ?? null,
        // The signal is the one deadline.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      const body = await readBounded(answer.body);
      const { statusCode: status } = answer;
      if (status >= 200 && status < 300) checkJson(answer.headers['content-type'], body);
      return new Response(body.length === 0 ? null : body, { status, headers: singleHeaders(answer.headers) });
    } catch (error) {
      if (error instanceof AuthorizationServerError) throw error;
      throw unavailable(transportReason(error));
    }
  };
}

async function readBounded(body: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    // Leaving the loop destroys the stream, and with it the connection.
    if (size > MAX_ANSWER_BYTES) throw unavailable('answer_too_large');
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function checkJson(contentType: string | string[] | undefined, body: Uint8Array): void {
  if (typeof contentType !== 'string' || !JSON_CONTENT_TYPE.test(contentType)) throw unavailable('answer_not_json');
  if (!isStrictJson(body)) throw unavailable('answer_not_strict_json');
}

function singleHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const single = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const item of [value ?? []].flat()) single.append(name, item);
  }
  return single;
}

function unavailable(reason: string): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_unavailable', { reason });
}

/** One word for what went wrong below HTTP: `timeout`, or the system's or undici's code such as `ECONNREFUSED`. */
function transportReason(error: unknown): string {
  const { name, code } = Object(error) as { readonly name?: unknown; readonly code?: unknown };
  if (name === 'TimeoutError') return 'timeout';
  return typeof code === 'string' ? code : 'transport_failed';
}

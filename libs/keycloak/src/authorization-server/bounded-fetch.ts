/** fetch for calls to the authorization server: kept-alive, no redirects, and a bound on the answer's size. */
import type { CustomFetchOptions } from 'oauth4webapi';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';

const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * The global `fetch` (its agent keeps connections alive), with the answer read whole before it is given on: so the
 * request's one deadline covers the body too, and an answer over 1 MiB is dropped. Any failure on the way becomes
 * `authorization_server_unavailable`; the error of the transport, which may hold the request, stays here.
 */
export async function boundedFetch(
  url: string,
  { method, headers, body: form, signal }: CustomFetchOptions<'GET' | 'POST', URLSearchParams | undefined>,
): Promise<Response> {
  try {
    const response = await fetch(url, {
      method,
      headers,
      body: form ?? null,
      signal: signal ?? null,
      redirect: 'manual',
    });
    const body = await readBounded(response);
    return new Response(body, { status: response.status, headers: response.headers });
  } catch (error) {
    if (error instanceof AuthorizationServerError) throw error;
    throw new AuthorizationServerError('authorization_server_unavailable', { reason: transportReason(error) });
  }
}

async function readBounded(response: Response): Promise<Uint8Array<ArrayBuffer> | null> {
  if (response.body === null) return null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) {
      throw new AuthorizationServerError('authorization_server_unavailable', { reason: 'answer_too_large' });
    }
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/**
 * One word for what went wrong below HTTP: `timeout`, or the system's own code such as `ECONNREFUSED`. Known by shape,
 * since the errors of the global `fetch` may be of another realm than ours (as they are in Jest).
 */
function transportReason(error: unknown): string {
  const { name, cause } = Object(error) as { readonly name?: unknown; readonly cause?: unknown };
  if (name === 'TimeoutError') return 'timeout';
  const { code } = Object(cause) as { readonly code?: unknown };
  return typeof code === 'string' ? code : 'transport_failed';
}

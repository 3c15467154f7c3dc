/** OpenID transport: how Keycloak is reached for a login, and what is sent where. */
import { AuthorizationServerError } from 'nestjs-keycloak-s2s';
import type { CustomFetch, ServerMetadata } from 'openid-client';
import type { ServiceAConfig } from '../config.js';
import { refused, unavailable } from './openid-errors.js';

type Keycloak = ServiceAConfig['keycloak'];

export const TIMEOUT_SECONDS = 5;
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * A `fetch` that reaches Keycloak where this service can (`baseUrl`), whatever name it has for browsers (`issuer`). No
 * redirects; an answer is bounded in size, and by the signal of the library in time.
 */
export function reachingFetch(keycloak: Keycloak): CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    let response: Response;
    try {
      response = await fetch(reachable(url, keycloak), {
        method,
        headers,
        body: body ?? null,
        redirect: 'manual',
        ...(signal === undefined ? {} : { signal }),
      });
      response = new Response(await boundedText(response), { status: response.status, headers: response.headers });
    } catch (error) {
      if (error instanceof AuthorizationServerError) throw error;
      throw unavailable(error instanceof DOMException ? 'timeout' : 'connection_failed');
    }
    const { status, headers: given } = response;
    if (isOfServer(status)) {
      throw AuthorizationServerError.answered(status, 'unexpected_status', retryAfter(given.get('retry-after')));
    }
    return response;
  };
}

/** Browsers are sent to the issuer's origin alone; our secret goes there, or where we reach the server. */
export function checkEndpoints(server: Readonly<ServerMetadata>, { issuer, baseUrl = issuer }: Keycloak): void {
  const ofBrowsers = [new URL(issuer).origin];
  const ofOurs = [...ofBrowsers, new URL(baseUrl).origin];
  const endpoints: readonly (readonly [name: string, origins: readonly string[]])[] = [
    ['authorization_endpoint', ofBrowsers],
    ['end_session_endpoint', ofBrowsers],
    ['token_endpoint', ofOurs],
    ['jwks_uri', ofOurs],
  ];
  for (const [name, origins] of endpoints) {
    const url = server[name];
    if (typeof url !== 'string' || !URL.canParse(url)) throw refused('endpoint_missing', { endpoint: name });
    const { origin } = new URL(url);
    if (!origins.includes(origin)) throw refused('endpoint_on_foreign_origin', { endpoint: name, origin });
  }
}

function reachable(url: string, { issuer, baseUrl }: Keycloak): string {
  const named = baseOf(issuer);
  return baseUrl !== undefined && url.startsWith(`${named}/`) ? baseUrl + url.slice(named.length) : url;
}

/** The issuer without its `/realms/…`. */
function baseOf(issuer: string): string {
  return issuer.slice(0, issuer.lastIndexOf('/realms/'));
}

async function boundedText(response: Response): Promise<string | null> {
  if (response.body === null) return null;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw unavailable('answer_too_large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Too slow, too busy or broken: it would answer the same question otherwise at another time. */
function isOfServer(status: number): boolean {
  return status >= 500 || status === 408 || status === 429;
}

/** `Retry-After` in seconds (RFC 9110 §10.2.3), at most five minutes; the date form is left out. */
function retryAfter(value: string | null): number | undefined {
  return value !== null && /^\d{1,9}$/.test(value) ? Math.min(Number(value), 300) : undefined;
}

/** OpenID transport: how Keycloak is reached for a login, and what its failures mean; nothing of the library gets further. */
import { AuthorizationServerError, type AuthorizationServerErrorReason } from 'nestjs-keycloak-s2s';
import { AuthorizationResponseError, ResponseBodyError, type CustomFetch, type ServerMetadata } from 'openid-client';
import type { ServiceAConfig } from '../config.js';
import { LoginError } from './login-error.js';

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
    if (response.status >= 500) throw AuthorizationServerError.answered(response.status, 'unexpected_status');
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

/** Errors of the library go no further than this: they may carry a request or an answer. */
export async function withOwnErrors<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw ownError(error);
  }
}

/** Whose fault it is: the user's or the browser's (`LoginError`), Keycloak's or our configuration's. */
function ownError(error: unknown): Error {
  if (error instanceof LoginError || error instanceof AuthorizationServerError) return error;
  if (error instanceof AuthorizationResponseError) return new LoginError('login_refused', word(error.error));
  if (error instanceof ResponseBodyError) {
    // The code, or the refresh token, is no longer good.
    if (error.error === 'invalid_grant') return new LoginError('login_refused', 'invalid_grant');
    return AuthorizationServerError.answered(error.status, error.error);
  }
  if (error instanceof Error && error.cause instanceof AuthorizationServerError) return error.cause;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT') return unavailable('timeout');
  return new LoginError('login_not_valid', word(code.toLowerCase()));
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

/** An error code for the log. Part of it comes from the address line: nothing but a plain word is taken. */
function word(code: string): string {
  return /^[a-z_]{1,60}$/.test(code) ? code : 'other';
}

function unavailable(reason: AuthorizationServerErrorReason): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_unavailable', { reason });
}

function refused(
  reason: AuthorizationServerErrorReason,
  fields: Readonly<Record<string, unknown>>,
): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_refused', { reason, fields });
}

/** OpenIdTransport: how Keycloak is reached for a login, and what is sent where. */
import { Injectable } from '@nestjs/common';
import { AuthorizationServerFetch } from 'nestjs-keycloak-s2s';
import type { CustomFetch, ServerMetadata } from 'openid-client';
import type { ServiceAConfig } from '../config.js';
import { refused, unavailable } from './openid-errors.js';

const JSON_CONTENT_TYPE = /^application\/json *(;|$)/i;

/**
 * Every call is one of the library's door: bounded in time, size and number, to Keycloak alone, with no redirect; a POST is sent
 * once. Anybody can bring about that a code is redeemed. So that has slots of its own, and what users who are logged in need
 * (refresh, logout), or all (endpoints and keys), does not wait behind it.
 */
@Injectable()
export class OpenIdTransport {
  readonly #logins: AuthorizationServerFetch;
  readonly #sessions: AuthorizationServerFetch;
  readonly #metadata: AuthorizationServerFetch;

  constructor(keycloak: AuthorizationServerFetch) {
    this.#logins = keycloak;
    this.#sessions = keycloak.apart('sessions');
    this.#metadata = keycloak.apart('metadata');
  }

  /** For openid-client. Throws `AuthorizationServerError`. */
  readonly fetch: CustomFetch = async (url, { method, headers, body, signal }) => {
    const form = body instanceof URLSearchParams ? body : undefined;
    const isLogin = form?.get('grant_type') === 'authorization_code';
    const calls = isLogin ? this.#logins : this.#sessions;
    const response = await (method === 'GET' ? this.#metadata : calls).fetch(url, {
      method,
      headers,
      body: form,
      signal,
    });
    // What says that it is something else was not looked at as JSON, and the library would read it all the same.
    if (response.ok && !JSON_CONTENT_TYPE.test(response.headers.get('content-type') ?? '')) {
      throw unavailable('answer_not_json');
    }
    return response;
  };

  async read(url: string): Promise<Response> {
    return this.#metadata.fetch(url, { headers: { accept: 'application/json, application/jwk-set+json' } });
  }

  async post(url: string, form: URLSearchParams): Promise<Response> {
    return this.#sessions.fetch(url, { method: 'POST', body: form });
  }
}

/** Browsers are sent to the issuer's origin alone; our secret goes there, or where we reach the server. */
export function checkEndpoints(
  server: Readonly<ServerMetadata>,
  { issuer, baseUrl = issuer }: ServiceAConfig['keycloak'],
): void {
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

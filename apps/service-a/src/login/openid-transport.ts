import { Injectable } from '@nestjs/common';
import { AuthorizationServerFetch } from 'nestjs-keycloak-s2s/client-authentication';
import { ClientAuthenticator } from 'nestjs-keycloak-s2s/client-authentication';
import type { CustomFetch, ServerMetadata } from 'openid-client';
import type { ServiceAConfig } from '../config.js';
import { refused, unavailable } from './openid-errors.js';

const JSON_CONTENT_TYPE = /^application\/json *(;|$)/i;

/** Anyone can make the service redeem a code, so code redemptions use separate limits for concurrent calls. */
@Injectable()
export class OpenIdTransport {
  readonly #logins: AuthorizationServerFetch;
  readonly #sessions: AuthorizationServerFetch;
  readonly #metadata: AuthorizationServerFetch;

  constructor(
    keycloak: AuthorizationServerFetch,
    private readonly authenticator: ClientAuthenticator,
  ) {
    this.#logins = keycloak;
    this.#sessions = keycloak.apart('sessions');
    this.#metadata = keycloak.apart('metadata');
  }

  readonly fetch: CustomFetch = async (url, { method, headers, body, signal }) => {
    const form = body instanceof URLSearchParams ? body : undefined;
    const isLogin = form?.get('grant_type') === 'authorization_code';
    const others = isLogin ? this.#logins : this.#sessions;
    const calls = method === 'GET' ? this.#metadata : others;
    let response = await calls.fetch(url, { method, headers, body: form, signal });
    // A 401 does not use up the code or the refresh token.
    if (response.status === 401 && form !== undefined) {
      const again = new Headers(headers);
      if (await this.authenticator.replaceRefused(form, again)) {
        response = await calls.fetch(url, { method, headers: again, body: form, signal });
      }
    }
    // Our fetch validates only answers of type JSON, but openid-client parses any answer.
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

/**
 * Browsers are redirected only to the issuer's origin. The client secret goes only to the origin of the issuer or of
 * `internalServerUrl`.
 */
export function checkEndpoints(
  server: Readonly<ServerMetadata>,
  { issuer, internalServerUrl: baseUrl = issuer }: ServiceAConfig['keycloak'],
): void {
  const forBrowsers = [new URL(issuer).origin];
  const forService = [...forBrowsers, new URL(baseUrl).origin];
  const endpoints: readonly (readonly [name: string, origins: readonly string[]])[] = [
    ['authorization_endpoint', forBrowsers],
    ['end_session_endpoint', forBrowsers],
    ['token_endpoint', forService],
    ['jwks_uri', forService],
  ];
  for (const [name, origins] of endpoints) {
    const url = server[name];
    if (typeof url !== 'string' || !URL.canParse(url)) throw refused('endpoint_missing', { endpoint: name });
    const { origin } = new URL(url);
    if (!origins.includes(origin)) throw refused('endpoint_on_foreign_origin', { endpoint: name, origin });
  }
}

import { allowInsecureRequests, customFetch, type Client, type HttpRequestOptions } from 'oauth4webapi';
import type { Connections } from '../http/network.js';
import type { ProfileName } from '../protocol/token-profile.js';
import { boundedFetch } from './bounded-fetch.js';
import type { ClientAuthenticator } from './client-authenticator.js';
import type { ClockSkew } from './clock-skew.js';

export interface OAuthClientOptions {
  readonly issuer: string;
  /** Differs from `issuer` if services and browsers use different host names. */
  readonly realmUrl: string;
  readonly clientId: string;
  readonly allowInsecureRequests: boolean;
  readonly profile?: ProfileName;
}

export class OAuthClientContext {
  readonly issuer: string;
  readonly realmUrl: URL;
  readonly client: Client;
  readonly profile: ProfileName;
  readonly #allowInsecureRequests: boolean;
  readonly #fetch: ReturnType<typeof boundedFetch>;

  constructor(
    options: OAuthClientOptions,
    connections: Connections,
    readonly clockSkew: ClockSkew,
    readonly authenticator: ClientAuthenticator,
  ) {
    this.#fetch = boundedFetch(connections, (headers) => clockSkew.observeHeader(headers));
    this.issuer = options.issuer;
    this.profile = options.profile ?? 'keycloak';
    this.realmUrl = new URL(options.realmUrl);
    this.client = { client_id: options.clientId };
    this.#allowInsecureRequests = options.allowInsecureRequests;
  }

  requestOptions(signal: AbortSignal): HttpRequestOptions<'GET' | 'POST', URLSearchParams | undefined> {
    return {
      [customFetch]: this.#fetch,
      [allowInsecureRequests]: this.#allowInsecureRequests,
      signal,
    };
  }
}

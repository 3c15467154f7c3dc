/** OpenIdConfiguration: what Keycloak says of itself to those who log users in: its endpoints, and the keys it signs with. */
import { Inject, Injectable } from '@nestjs/common';
import { createRemoteJWKSet, customFetch as keysFetch, type JWTVerifyGetKey } from 'jose';
import { AuthorizationServerError } from 'nestjs-keycloak-s2s';
import {
  allowInsecureRequests,
  ClientSecretBasic,
  clockTolerance,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  type Configuration,
} from 'openid-client';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { LoginError } from './login-error.js';
import { withOwnErrors } from './openid-errors.js';
import { checkEndpoints, reachingFetch, TIMEOUT_SECONDS } from './openid-transport.js';

@Injectable()
export class OpenIdConfiguration {
  #configuration: Promise<Configuration> | undefined;
  #keys: JWTVerifyGetKey | undefined;

  constructor(@Inject(serviceAConfig.KEY) private readonly config: ServiceAConfig) {}

  /** Found on first need, so that Service A can start before Keycloak. Throws `AuthorizationServerError`. */
  async get(): Promise<Configuration> {
    this.#configuration ??= this.#discover();
    try {
      return await this.#configuration;
    } catch (error) {
      // Failures are not kept: the next login asks again.
      this.#configuration = undefined;
      // No user is to blame for what Keycloak says of itself.
      if (!(error instanceof LoginError)) throw error;
      throw new AuthorizationServerError('authorization_server_refused', { reason: 'nonsense_answer' });
    }
  }

  /** The key that a token's header names, of those that Keycloak signs with now. */
  readonly keys: JWTVerifyGetKey = async (header, token) => {
    this.#keys ??= await this.#findKeys();
    return this.#keys(header, token);
  };

  async #findKeys(): Promise<JWTVerifyGetKey> {
    const { jwks_uri = '' } = (await this.get()).serverMetadata();
    const reach = reachingFetch(this.config.keycloak);
    return createRemoteJWKSet(new URL(jwks_uri), {
      timeoutDuration: TIMEOUT_SECONDS * 1000,
      [keysFetch]: (url, { headers, signal }) =>
        reach(url, {
          method: 'GET',
          headers: Object.fromEntries(headers),
          body: undefined,
          redirect: 'manual',
          signal,
        }),
    });
  }

  #discover(): Promise<Configuration> {
    const { issuer, clientId, clientSecret, allowInsecureRequests: insecure } = this.config.keycloak;
    return withOwnErrors(async () => {
      const configuration = await discovery(
        new URL(issuer),
        clientId,
        { [clockTolerance]: 5 },
        ClientSecretBasic(clientSecret),
        {
          [customFetch]: reachingFetch(this.config.keycloak),
          timeout: TIMEOUT_SECONDS,
          // The signature of an ID token is checked too, though it came over the line from Keycloak itself.
          execute: [enableNonRepudiationChecks, ...(insecure === true ? [allowInsecureRequests] : [])],
        },
      );
      checkEndpoints(configuration.serverMetadata(), this.config.keycloak);
      return configuration;
    });
  }
}

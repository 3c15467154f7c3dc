import { Inject, Injectable } from '@nestjs/common';
import { AuthorizationServerError } from 'nestjs-keycloak-s2s';
import { ClientAuthenticator } from 'nestjs-keycloak-s2s/client-authentication';
import { allowInsecureRequests, clockTolerance, customFetch, discovery, type Configuration } from 'openid-client';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { LoginError } from './login-error.js';
import { translateErrors, unavailable } from './openid-errors.js';
import { checkEndpoints, OpenIdTransport } from './openid-transport.js';
import { SigningKeys } from './signing-keys.js';
import { CLOCK_TOLERANCE_SECONDS } from './step-up.js';

@Injectable()
export class OpenIdConfiguration {
  #configuration: Promise<Configuration> | undefined;

  constructor(
    @Inject(serviceAConfig.KEY) private readonly config: ServiceAConfig,
    private readonly transport: OpenIdTransport,
    private readonly authenticator: ClientAuthenticator,
  ) {}

  /** Loads the metadata on first use, so that Service A can start before Keycloak. */
  async get(): Promise<Configuration> {
    this.#configuration ??= this.#discover();
    try {
      return await this.#configuration;
    } catch (error) {
      this.#configuration = undefined;
      // Bad metadata is Keycloak's fault, so the error must not blame the user.
      if (!(error instanceof LoginError)) throw error;
      throw new AuthorizationServerError('authorization_server_refused', { reason: 'nonsense_answer' });
    }
  }

  readonly keys = new SigningKeys(async () => this.#readKeys());

  async #readKeys(): Promise<unknown> {
    const { jwks_uri = '' } = (await this.get()).serverMetadata();
    const response = await this.transport.read(jwks_uri);
    if (response.status !== 200) throw unavailable(`answered_${response.status}_unexpected_status`);
    try {
      return await response.json();
    } catch {
      throw unavailable('signing_keys_malformed');
    }
  }

  #discover(): Promise<Configuration> {
    const { issuer, clientId, allowInsecureRequests: insecure } = this.config.keycloak;
    return translateErrors(async () => {
      const configuration = await discovery(
        new URL(issuer),
        clientId,
        { [clockTolerance]: CLOCK_TOLERANCE_SECONDS },
        this.authenticator.authenticate,
        { [customFetch]: this.transport.fetch, execute: insecure === true ? [allowInsecureRequests] : [] },
      );
      configuration.timeout = 0;
      checkEndpoints(configuration.serverMetadata(), this.config.keycloak);
      return configuration;
    });
  }
}

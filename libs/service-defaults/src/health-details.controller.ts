/** Health details: the state of what this service depends on, for callers with a token. No probe hangs on it. */
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { HttpService } from '@nestjs/axios';
import { Controller, Get, Inject } from '@nestjs/common';
import {
  HealthCheckService,
  HealthIndicatorService,
  HttpHealthIndicator,
  type HealthCheckResult,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import axios from 'axios';
import {
  AccessToken,
  Authenticated,
  AuthorizationServerHealth,
  BearerError,
  KeycloakStatus,
  type TlsOptions,
  type VerifiedAccessToken,
} from 'nestjs-keycloak-s2s';
import { keycloakIndicator } from './health.controller.js';

/** The injection token of the base URLs of the services that this one calls, by name. */
export const NEXT_SERVICES = Symbol('service-defaults:next-services');

/** The injection token of whom their certificates must be of: `TlsOptions`. */
export const SERVICES_TLS = Symbol('service-defaults:services-tls');

/** The injection token of the version of what was deployed. */
export const OWN_ISSUER = Symbol('service-defaults:own-issuer');
export const SERVICE_VERSION = Symbol('service-defaults:service-version');

/** For one probe, which carries no token: to the address itself, whatever the environment says of proxies. */
const PROBE = { timeout: 1000, maxRedirects: 0, proxy: false, maxContentLength: 10_000 } as const;

@Controller('health/details')
export class HealthDetailsController {
  #ca: string | undefined;

  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly http: HttpHealthIndicator,
    private readonly authorizationServer: AuthorizationServerHealth,
    private readonly status: KeycloakStatus,
    @Inject(NEXT_SERVICES) private readonly nextServices: Readonly<Record<string, string>>,
    @Inject(SERVICES_TLS) private readonly servicesTls: TlsOptions,
    @Inject(SERVICE_VERSION) private readonly version: string,
    @Inject(OWN_ISSUER) private readonly ownIssuer: string,
  ) {}

  /**
   * Answers 200 when Keycloak was reached within the last second, each next service is ready, no circuit is open, and shared denials are read, else 503. With how calls
   * and caches of this instance stand, and the versions of what runs.
   */
  @Get()
  @Authenticated()
  details(@AccessToken() { issuer }: VerifiedAccessToken): Promise<HealthCheckResult> {
    // How this service stands is nobody's business at another issuer.
    if (issuer !== this.ownIssuer) throw new BearerError('client_not_allowed', { reason: 'client_not_allowed' });
    const httpClient = this.#probe();
    return this.health.check([
      () => keycloakIndicator(this.indicators, this.authorizationServer.check()),
      ...Object.entries(this.nextServices).map(
        ([name, url]) =>
          () =>
            this.http.pingCheck(name, `${url}/health/ready`, { httpClient }),
      ),
      () => this.#calls(),
      () => this.#denials(),
      () => this.#runs(),
    ]);
  }

  /** The file is read again each time, as the library does for its own connections; the last content serves while it can't be. */
  #probe(): HttpService {
    const { caFile } = this.servicesTls;
    if (caFile === undefined) return new HttpService(axios.create(PROBE));
    try {
      this.#ca = readFileSync(caFile, 'utf8');
    } catch (error) {
      if (this.#ca === undefined) throw error;
    }
    return new HttpService(axios.create({ ...PROBE, httpsAgent: new Agent({ ca: this.#ca }) }));
  }

  #calls(): HealthIndicatorResult {
    const { authorizationServer, services } = this.status.read();
    const indicator = this.indicators.check('calls');
    const calls = { authorizationServer, services };
    const isOpen = [...Object.values(authorizationServer), ...Object.values(services)].some(
      ({ circuit }) => circuit === 'open',
    );
    return isOpen ? indicator.down(calls) : indicator.up(calls);
  }

  #denials(): HealthIndicatorResult {
    const { state, unshared, isTaking } = this.status.read().revocationChannel;
    if (state === 'none') return {};
    const indicator = this.indicators.check('denials');
    const isShared = state === 'caught_up' && isTaking;
    return isShared ? indicator.up({ state, unshared }) : indicator.down({ state, unshared });
  }

  #runs(): HealthIndicatorResult {
    const { caches, version: library } = this.status.read();
    const versions = { service: this.version, library, node: process.versions.node };
    return this.indicators.check('process').up({ versions, caches });
  }
}

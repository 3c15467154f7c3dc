/** Health details: the state of what this service depends on, for callers with a token. No probe hangs on it. */
import { HttpService } from '@nestjs/axios';
import { Controller, Get, Inject } from '@nestjs/common';
import {
  HealthCheckService,
  HealthIndicatorService,
  HttpHealthIndicator,
  type HealthCheckResult,
} from '@nestjs/terminus';
import axios from 'axios';
import { AuthorizationServerHealth, Authenticated } from 'nestjs-keycloak-s2s';
import { keycloakIndicator } from './health.controller.js';

/** The injection token of the base URLs of the services that this one calls, by name. */
export const NEXT_SERVICES = Symbol('service-defaults:next-services');

/** For one probe, which carries no token: to the address itself, whatever the environment says of proxies. */
const PROBE = { timeout: 1000, maxRedirects: 0, proxy: false, maxContentLength: 10_000 } as const;

@Controller('health/details')
export class HealthDetailsController {
  readonly #httpClient = new HttpService(axios.create(PROBE));

  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly http: HttpHealthIndicator,
    private readonly authorizationServer: AuthorizationServerHealth,
    @Inject(NEXT_SERVICES) private readonly nextServices: Readonly<Record<string, string>>,
  ) {}

  /** Answers 200 when Keycloak was reached within the last second and each next service is ready, else 503. */
  @Get()
  @Authenticated()
  details(): Promise<HealthCheckResult> {
    return this.health.check([
      () => keycloakIndicator(this.indicators, this.authorizationServer.check()),
      ...Object.entries(this.nextServices).map(
        ([name, url]) =>
          () =>
            this.http.pingCheck(name, `${url}/health/ready`, { httpClient: this.#httpClient }),
      ),
    ]);
  }
}

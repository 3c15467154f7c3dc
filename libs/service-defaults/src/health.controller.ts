/** Health: whether the service is alive, and whether it is ready for requests. */
import { Controller, Get } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import {
  HealthCheckService,
  HealthIndicatorService,
  type HealthCheckResult,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import { AuthorizationServerHealth, KeycloakStatus, Public, type AuthorizationServerStatus } from 'nestjs-keycloak-s2s';
import { isShuttingDown } from './shutdown.js';

@Public()
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly authorizationServer: AuthorizationServerHealth,
    private readonly status: KeycloakStatus,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** Answers 200 as long as the process runs; checks nothing else. */
  @Get('live')
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /**
   * Answers 200 once Keycloak has accepted this service's credentials. Where denials are shared, the denials that others made must also
   * have been read. Before, it answers 503. It also answers 503 while this service has none of the keys that sealed those denials.
   *
   * It stays 200 when Keycloak or the shared state goes away later: cached tokens still serve, and all replicas would leave at once
   * (`/health/details` tells). Answers 503 from the start of a shutdown on.
   */
  @Get('ready')
  ready(): Promise<HealthCheckResult> {
    if (isShuttingDown(this.adapterHost.httpAdapter)) {
      return this.health.check([() => this.indicators.check('service').down({ code: 'shutting_down' })]);
    }
    return this.health.check([
      () => keycloakIndicator(this.indicators, this.authorizationServer.ready()),
      () => this.#denials(),
    ]);
  }

  #denials(): HealthIndicatorResult {
    const { state, isReady, unreadable } = this.status.read().revocationChannel;
    if (state === 'none') return {};
    const indicator = this.indicators.check('denials');
    if (!isReady) return indicator.down({ code: unreadable > 0 ? 'denial_keys_differ' : 'not_read_yet' });
    // One entry that nobody can read must not take all replicas away. They just do not claim that denials are up.
    return unreadable > 0 ? {} : indicator.up();
  }
}

export async function keycloakIndicator(
  indicators: HealthIndicatorService,
  looking: Promise<AuthorizationServerStatus>,
): Promise<HealthIndicatorResult> {
  const indicator = indicators.check('keycloak');
  const status = await looking;
  return status.reachable ? indicator.up() : indicator.down({ code: status.code });
}

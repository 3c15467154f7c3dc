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

  @Get('live')
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /** A replica that was ready once stays ready during an outage, because cached tokens still work. */
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
    // One unreadable entry must not make all replicas unready.
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

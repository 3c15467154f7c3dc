/** Health: whether the service is alive, and whether it is ready for requests. */
import { Controller, Get } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import {
  HealthCheckService,
  HealthIndicatorService,
  type HealthCheckResult,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import { AuthorizationServerHealth, Public } from 'nestjs-keycloak-s2s';
import { isShuttingDown } from './shutdown.js';

@Public()
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly authorizationServer: AuthorizationServerHealth,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** Answers 200 as long as the process runs; checks nothing else. */
  @Get('live')
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /** Answers 200 when Keycloak was reached within the last second, else 503. Answers 503 from the start of a shutdown on. */
  @Get('ready')
  ready(): Promise<HealthCheckResult> {
    if (isShuttingDown(this.adapterHost.httpAdapter)) {
      return this.health.check([() => this.indicators.check('service').down({ code: 'shutting_down' })]);
    }
    return this.health.check([() => keycloakIndicator(this.indicators, this.authorizationServer)]);
  }
}

/** Whether Keycloak was reached within the last second. */
export async function keycloakIndicator(
  indicators: HealthIndicatorService,
  authorizationServer: AuthorizationServerHealth,
): Promise<HealthIndicatorResult> {
  const indicator = indicators.check('keycloak');
  const status = await authorizationServer.check();
  return status.reachable ? indicator.up() : indicator.down({ code: status.code });
}

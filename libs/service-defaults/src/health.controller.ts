/** Health: whether the service lives, and whether it can do its work. */
import { Controller, Get } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, type HealthCheckResult } from '@nestjs/terminus';
import { AuthorizationServerHealth, Public } from 'nestjs-keycloak-s2s';

@Public()
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly authorizationServer: AuthorizationServerHealth,
  ) {}

  /** 200 as long as the process answers; it does not look at anything else. */
  @Get('live')
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /** 200 when Keycloak was reached within the last second, else 503. */
  @Get('ready')
  ready(): Promise<HealthCheckResult> {
    return this.health.check([
      async () => {
        const indicator = this.indicators.check('keycloak');
        const status = await this.authorizationServer.check();
        return status.reachable ? indicator.up() : indicator.down({ code: status.code });
      },
    ]);
  }
}

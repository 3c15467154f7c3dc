import { Controller, Get, Inject, type Type } from '@nestjs/common';
import type { HealthCheckResult } from '@nestjs/terminus';
import { RequirePermission } from 'nestjs-keycloak-s2s';
import { HealthDetails } from './health-details.js';

export function healthDetailsController(name: string): Type {
  @Controller('health/details')
  class HealthDetailsController {
    constructor(@Inject(HealthDetails) private readonly health: HealthDetails) {}

    @Get()
    @RequirePermission(`${name}.health`)
    details(): Promise<HealthCheckResult> {
      return this.health.read();
    }
  }
  return HealthDetailsController;
}

/** healthDetailsController(): the route for health details, which requires a permission. */
import { Controller, Get, Inject, type Type } from '@nestjs/common';
import type { HealthCheckResult } from '@nestjs/terminus';
import { RequirePermission } from 'nestjs-keycloak-s2s';
import { HealthDetails } from './health-details.js';

export function healthDetailsController(name: string): Type {
  @Controller('health/details')
  class HealthDetailsController {
    constructor(@Inject(HealthDetails) private readonly health: HealthDetails) {}

    /**
     * Answers 200 if Keycloak was reached, each next service was ready, no circuit is open, and shared denials are
     * read; else 503. All callers share one check in five seconds.
     */
    @Get()
    @RequirePermission(`${name}.health`)
    details(): Promise<HealthCheckResult> {
      return this.health.read();
    }
  }
  return HealthDetailsController;
}

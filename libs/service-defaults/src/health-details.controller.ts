/** healthDetailsController(): the route for health details, which demands a permission of the service's own. */
import { Controller, Get, Inject, type Type } from '@nestjs/common';
import type { HealthCheckResult } from '@nestjs/terminus';
import { RequirePermission } from 'nestjs-keycloak-s2s';
import { HealthDetails } from './health-details.js';

/** Returns the controller of the service `name`. Its details demand the permission `<name>.health`. */
export function healthDetailsController(name: string): Type {
  @Controller('health/details')
  class HealthDetailsController {
    constructor(@Inject(HealthDetails) private readonly health: HealthDetails) {}

    /**
     * Answers 200 if Keycloak was reached, each next service was ready, no circuit is open, and shared denials are read; else 503. It shows how calls and caches of
     * this instance stand, and the versions. One check in five seconds serves all callers.
     */
    @Get()
    @RequirePermission(`${name}.health`)
    details(): Promise<HealthCheckResult> {
      return this.health.read();
    }
  }
  return HealthDetailsController;
}

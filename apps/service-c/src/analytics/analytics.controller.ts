import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { AllowClients, RequirePermission } from 'nestjs-keycloak-s2s';
import { ComputeDto } from './compute.dto.js';

export interface ComputeResult {
  readonly result: number;
  readonly msg: string;
}

@Controller('api/compute')
export class AnalyticsController {
  @Post()
  @HttpCode(200)
  @RequirePermission('analytics.run')
  @AllowClients('service-b')
  compute(@Body() { value }: ComputeDto): ComputeResult {
    return { result: value * 2, msg: 'Service C successfully processed request' };
  }
}

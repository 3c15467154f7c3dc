/** AnalyticsClient: the only file of Service B that knows Service C's paths. */
import { Injectable } from '@nestjs/common';
import { InjectServiceClient, ServiceClient, VerifiedAccessToken } from 'nestjs-keycloak-s2s';

export interface ComputeResult {
  readonly result: number;
  readonly msg: string;
}

@Injectable()
export class AnalyticsClient {
  constructor(@InjectServiceClient('service-c') private readonly serviceC: ServiceClient) {}

  compute(caller: VerifiedAccessToken, value: number): Promise<ComputeResult> {
    return this.serviceC.onBehalfOf(caller, 'analytics.run').post<ComputeResult>('/api/compute', { value });
  }
}

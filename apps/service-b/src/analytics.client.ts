import { Injectable } from '@nestjs/common';
import { InjectServiceClient, ServiceCallError, ServiceClient, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { seenTokens, type SeenToken } from 'demo';

export interface ComputeResult {
  readonly result: number;
  readonly msg: string;
}

@Injectable()
export class AnalyticsClient {
  constructor(@InjectServiceClient('service-c') private readonly serviceC: ServiceClient) {}

  async compute(caller: VerifiedAccessToken, value: number): Promise<ComputeResult> {
    const answer = await this.serviceC
      .onBehalfOf(caller, 'analytics.run')
      .post<Partial<ComputeResult> | undefined>('/api/compute', { value });
    if (typeof answer?.result !== 'number' || typeof answer.msg !== 'string') {
      throw new ServiceCallError('service_failed', 'service-c', 'answer_not_as_agreed');
    }
    return { result: answer.result, msg: answer.msg };
  }

  async tokens(caller: VerifiedAccessToken): Promise<readonly SeenToken[]> {
    const seen = seenTokens(await this.serviceC.onBehalfOf(caller, 'analytics.run').get('/demo/tokens'));
    if (seen === undefined) throw new ServiceCallError('service_failed', 'service-c', 'answer_not_as_agreed');
    return seen;
  }
}

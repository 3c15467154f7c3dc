import { Injectable } from '@nestjs/common';
import { InjectServiceClient, ServiceClient, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { AttackNotRun, readAttempt, type Attempt } from 'demo';

@Injectable()
export class AttacksAtCClient {
  constructor(@InjectServiceClient('service-c') private readonly serviceC: ServiceClient) {}

  async exchange(caller: VerifiedAccessToken): Promise<Attempt> {
    const answer = await this.serviceC
      .onBehalfOf(caller, 'attacks.exchange')
      .post<unknown>('/api/attacks/exchange-by-c', undefined);
    const attempt = readAttempt(answer);
    if (attempt === undefined) throw new AttackNotRun('Service C reported its attack in an unknown format.');
    return attempt;
  }
}

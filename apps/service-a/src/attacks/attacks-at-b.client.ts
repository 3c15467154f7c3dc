/** AttacksAtBClient: has Service B make the attacks whose credential it, or Service C behind it, holds. */
import { Injectable } from '@nestjs/common';
import { InjectServiceClient, ServiceClient } from 'nestjs-keycloak-s2s';
import { AttackNotRun, readAttempt, type Attempt } from 'demo';
import type { AttackId } from './attack-list.js';

@Injectable()
export class AttacksAtBClient {
  constructor(@InjectServiceClient('service-b') private readonly serviceB: ServiceClient) {}

  async attempt(id: AttackId): Promise<Attempt> {
    const answer = await this.serviceB.asSelf('attacks.replay').post<unknown>(`/api/attacks/${id}`, undefined);
    const attempt = readAttempt(answer);
    if (attempt === undefined) throw new AttackNotRun('Service B reported its attack in an unknown format.');
    return attempt;
  }
}

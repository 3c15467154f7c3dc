import { Injectable } from '@nestjs/common';
import { InjectServiceClient, ServiceClient, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import {
  AttackNotRun,
  readAnswer,
  readAttempt,
  readSealedToken,
  readTokenRow,
  type AttackAnswer,
  type Attempt,
  type SealedToken,
  type TokenRow,
} from 'demo';
import type { AttackId } from './attack-list.js';

@Injectable()
export class AttacksAtBClient {
  constructor(@InjectServiceClient('service-b') private readonly serviceB: ServiceClient) {}

  async attempt(id: AttackId): Promise<Attempt> {
    const answer = await this.serviceB.asService('attacks.replay').post<unknown>(`/api/attacks/${id}`, undefined);
    const attempt = readAttempt(answer);
    if (attempt === undefined) throw new AttackNotRun('Service B reported its attack in an unknown format.');
    return attempt;
  }

  async tokenRow(services: readonly string[]): Promise<TokenRow> {
    const answer = await this.serviceB.asService('attacks.replay').post<unknown>('/api/attacks/token-row', undefined);
    checkRun(answer);
    const row = readTokenRow(answer, services);
    if (row === undefined) throw new AttackNotRun('Service B reported its token in an unknown format.');
    return row;
  }

  async showAgain(id: string, service: string): Promise<AttackAnswer> {
    const answer = await this.serviceB
      .asService('attacks.replay')
      .post<unknown>('/api/attacks/token-row/again', { id, service });
    return shownAnswer(answer);
  }

  async sealedToken(caller: VerifiedAccessToken): Promise<SealedToken> {
    const { serviceB } = this;
    const answer = await serviceB
      .onBehalfOf(caller, 'attacks.replay')
      .post<unknown>('/api/attacks/sealed-token', undefined);
    const token = readSealedToken(answer);
    if (token === undefined) throw new AttackNotRun('Service B reported its token in an unknown format.');
    return token;
  }

  async showSealed({ sealed }: SealedToken): Promise<AttackAnswer> {
    return shownAnswer(
      await this.serviceB.asService('attacks.replay').post<unknown>('/api/attacks/sealed-token/shown', { sealed }),
    );
  }
}

function shownAnswer(answer: unknown): AttackAnswer {
  checkRun(answer);
  const shown = readAnswer(answer);
  if (shown === undefined) throw new AttackNotRun('Service B reported an answer in an unknown format.');
  return shown;
}

function checkRun(answer: unknown): void {
  const { notRun } = Object(answer) as { readonly notRun?: unknown };
  if (typeof notRun === 'string') throw new AttackNotRun(notRun.slice(0, 300));
}

import { Injectable } from '@nestjs/common';
import { AttackRuns, type Attempt } from 'demo';
import { ATTACKS, type Attack, type AttackId } from './attack-list.js';
import { AttackTools, type Attacker } from './attack-tools.js';
import { AttacksAtBClient } from './attacks-at-b.client.js';
import { disabledUser } from './disabled-user.js';
import { expiredToken, revokedToken } from './ended-tokens.js';
import { algNone, tamperedSignature } from './forged-tokens.js';
import { evaluateAttack, type Evaluation } from './evaluate-attack.js';
import { tokenAtC, tokenBackAtA } from './misdirected-tokens.js';
import { bobApproves, ordinaryLogin, permissionNotAssigned } from './missing-permissions.js';
import { idToken, noToken, tokenInQuery } from './misused-tokens.js';

export interface AttackReport extends Evaluation {
  readonly attack: Attack;
  readonly attempt: Attempt;
}

/** Marks the attacks that Service B runs, because only Service B or Service C holds the credential. */
const BY_SERVICE_B = undefined;

const ATTACKERS: Readonly<Record<AttackId, Attacker | undefined>> = {
  'no-token': noToken,
  'token-at-c': tokenAtC,
  'token-back-at-a': tokenBackAtA,
  'exchanged-token-at-a': BY_SERVICE_B,
  'exchanged-token-at-b': BY_SERVICE_B,
  'exchange-by-c': BY_SERVICE_B,
  'permission-not-assigned': permissionNotAssigned,
  'bob-approves': bobApproves,
  'ordinary-login': ordinaryLogin,
  'revoked-token': revokedToken,
  'expired-token': expiredToken,
  'disabled-user': disabledUser,
  'tampered-signature': tamperedSignature,
  'alg-none': algNone,
  'id-token': idToken,
  'token-in-query': tokenInQuery,
};

@Injectable()
export class AttackLab {
  constructor(
    private readonly tools: AttackTools,
    private readonly serviceB: AttacksAtBClient,
    private readonly runs: AttackRuns,
  ) {}

  async run(attack: Attack): Promise<AttackReport> {
    const { id, refusals } = attack;
    const own = ATTACKERS[id];
    const attempt = await this.runs.run(id, () => (own === undefined ? this.serviceB.attempt(id) : own(this.tools)));
    return {
      attack,
      attempt,
      ...evaluateAttack(
        refusals.map(({ answer }) => answer),
        attempt,
      ),
    };
  }

  async runAll(): Promise<readonly AttackReport[]> {
    const reports: AttackReport[] = [];
    for (const attack of ATTACKS) reports.push(await this.run(attack));
    return reports;
  }
}

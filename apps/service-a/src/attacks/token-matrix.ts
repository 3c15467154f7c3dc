/** TokenMatrix: shows each token of the chain to each service, for real, and says what it opened and why. */
import { Injectable } from '@nestjs/common';
import { isAccepted, tryDoors, type AttackAnswer, type Door, type TokenRow } from 'demo';
import { AttackTools } from './attack-tools.js';
import { AttacksAtBClient } from './attacks-at-b.client.js';
import { inWords } from './judge-attack.js';

const NAMES: Readonly<Record<string, string>> = {
  'service-a': 'Service A',
  'service-b': 'Service B',
  'service-c': 'Service C',
};

/** For people: such as `Service B` for the client `service-b`. */
export const nameOf = (service: string): string => NAMES[service] ?? service;

/**
 * - `opens`: the token was made for this service, and opens it.
 * - `closed`: it was made for another one, and is refused as no token of this one.
 * - `leak`: it was made for another one, and opens this one: that must not be.
 * - `unclear`: anything else, which proves nothing.
 */
export type CellVerdict = 'opens' | 'closed' | 'leak' | 'unclear';

export interface MatrixCell {
  readonly service: string;
  readonly verdict: CellVerdict;
  /** A sentence for people: for whom the token is, and who refused it. */
  readonly why: string;
  readonly answer: AttackAnswer;
}

export interface MatrixRow extends Omit<TokenRow, 'doors'> {
  /** The service that holds the token, from which a thief has it. */
  readonly holder: string;
  readonly cells: readonly MatrixCell[];
}

@Injectable()
export class TokenMatrix {
  constructor(
    private readonly tools: AttackTools,
    private readonly serviceB: AttacksAtBClient,
  ) {}

  /** Three tokens, of which Service A holds two; Service B shows its own. Throws `AttackNotRun` when a service gives no answer. */
  async run(): Promise<readonly MatrixRow[]> {
    const { keycloak, serviceA, serviceB, serviceC } = this.tools;
    const targets = { 'service-a': serviceA, 'service-b': serviceB, 'service-c': serviceC };
    const ofService = async (scope: string): Promise<TokenRow> => tryDoors(await keycloak.ownToken(scope), targets);
    const [atA, forB, forC] = await Promise.all([
      ofService('orders.read'),
      ofService('orders.approve'),
      this.serviceB.tokenRow(),
    ]);
    return [rowOf('service-a', atA), rowOf('service-a', forB), rowOf('service-b', forC)];
  }
}

export function rowOf(holder: string, { doors, ...row }: TokenRow): MatrixRow {
  const audience = row.token.aud ?? '';
  return { holder, ...row, cells: doors.map((door) => cellOf(audience, door)) };
}

function cellOf(audience: string, { service, answer }: Door): MatrixCell {
  const isForIt = audience === service;
  const common = { service, answer };
  if (isAccepted(answer)) {
    return isForIt
      ? { ...common, verdict: 'opens', why: `It was made for ${nameOf(service)}.` }
      : {
          ...common,
          verdict: 'leak',
          why: `It was made for ${nameOf(audience)}, and opens ${nameOf(service)} all the same.`,
        };
  }
  if (!isForIt && answer.status === 401 && answer.code === 'invalid_token') {
    const at = nameOf(service);
    const who = answer.reason === 'inactive' ? `Keycloak told ${at} so` : `${at} saw so by itself`;
    return { ...common, verdict: 'closed', why: `Made for ${nameOf(audience)}, and this is ${at}: ${who}.` };
  }
  return { ...common, verdict: 'unclear', why: `The answer was ${inWords(answer)}, which proves nothing.` };
}

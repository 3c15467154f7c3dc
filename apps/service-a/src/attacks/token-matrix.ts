/** TokenMatrix: shows each token of the chain to each service, for real, and says what it opened and why. */
import { Injectable } from '@nestjs/common';
import {
  AttackRuns,
  failureReason,
  isAccepted,
  tryDoors,
  type AttackAnswer,
  type Door,
  type Targets,
  type TokenInWords,
  type TokenRow,
} from 'demo';
import { AttackTools } from './attack-tools.js';
import { AttacksAtBClient } from './attacks-at-b.client.js';
import { inWords } from './judge-attack.js';

const NAMES: Readonly<Record<string, string>> = {
  'service-a': 'Service A',
  'service-b': 'Service B',
  'service-c': 'Service C',
};

const SERVICES = Object.keys(NAMES);

/** For people: such as `Service B` for the client `service-b`. */
export const nameOf = (service: string): string => NAMES[service] ?? service;

/**
 * - `opens`: the token was made for this service, and opens it.
 * - `closed`: it was made for another one, which it opens, and this one refuses it as a token for others.
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

/** A token: the service that holds it, from which a thief has it, and the one that it is made for, whatever it says of itself. */
export interface StolenToken {
  readonly holder: string;
  readonly meantFor: string;
}

export interface MatrixRow extends StolenToken {
  readonly token: TokenInWords;
  /** Seconds since the epoch; 0 where the token could not be had. */
  readonly expiresAt: number;
  readonly cells: readonly MatrixCell[];
  /** Why it was not shown to anybody. */
  readonly notRun?: string;
}

/** In the order of the table. */
export const STOLEN_TOKENS: readonly StolenToken[] = [
  { holder: 'service-a', meantFor: 'service-a' },
  { holder: 'service-a', meantFor: 'service-b' },
  { holder: 'service-b', meantFor: 'service-c' },
];

/** Of Service A's own tokens, by the service that they are for. Service B shows the third itself. */
const SCOPES: Readonly<Record<string, string>> = { 'service-a': 'orders.read', 'service-b': 'orders.approve' };

@Injectable()
export class TokenMatrix {
  readonly #targets: Targets;

  constructor(
    private readonly tools: AttackTools,
    private readonly serviceB: AttacksAtBClient,
    private readonly runs: AttackRuns,
  ) {
    this.#targets = { 'service-a': tools.serviceA, 'service-b': tools.serviceB, 'service-c': tools.serviceC };
  }

  /** Never rejects for what a service or Keycloak answers: the rows say it. It takes one of the slots for attacks. */
  async run(): Promise<readonly MatrixRow[]> {
    const rows = await this.runs.run('matrix', async () =>
      Promise.all(STOLEN_TOKENS.map(async (stolen) => this.#row(stolen))),
    );
    return 'notRun' in rows ? STOLEN_TOKENS.map((stolen) => notRun(stolen, rows.notRun)) : rows;
  }

  async #row(stolen: StolenToken): Promise<MatrixRow> {
    try {
      return rowOf(stolen, await this.#shown(SCOPES[stolen.meantFor]));
    } catch (error) {
      return notRun(stolen, failureReason(error));
    }
  }

  async #shown(scope: string | undefined): Promise<TokenRow> {
    if (scope === undefined) return this.serviceB.tokenRow(SERVICES);
    return tryDoors(await this.tools.keycloak.ownToken(scope), this.#targets);
  }
}

const notRun = (stolen: StolenToken, why: string): MatrixRow => ({
  ...stolen,
  token: {},
  expiresAt: 0,
  cells: [],
  notRun: why,
});

export function rowOf(stolen: StolenToken, { token, expiresAt, doors }: TokenRow): MatrixRow {
  // A token that opens nothing at all may be dead: that others refuse it proves nothing then.
  const isGood = doors.some(({ service, answer }) => service === stolen.meantFor && isAccepted(answer));
  return { ...stolen, token, expiresAt, cells: doors.map((door) => cellOf(stolen.meantFor, door, isGood)) };
}

/** Who says that a token is for others: Keycloak, which calls it inactive, or the service itself. */
const SAYS_FOR_OTHERS: Readonly<Record<string, (at: string) => string>> = {
  inactive: (at) => `Keycloak told ${at} so`,
  other_audience: (at) => `${at} saw so by itself`,
};

function cellOf(meantFor: string, { service, answer }: Door, isGood: boolean): MatrixCell {
  const common = { service, answer };
  const [own, here] = [nameOf(meantFor), nameOf(service)];
  const isForIt = meantFor === service;
  if (isAccepted(answer)) {
    return isForIt
      ? { ...common, verdict: 'opens', why: `It was made for ${here}.` }
      : { ...common, verdict: 'leak', why: `It was made for ${own}, and opens ${here} all the same.` };
  }
  const { status, code, reason = '' } = answer;
  const who = SAYS_FOR_OTHERS[reason];
  if (!isForIt && isGood && status === 401 && code === 'invalid_token' && who !== undefined) {
    return { ...common, verdict: 'closed', why: `Made for ${own}, and this is ${here}: ${who(here)}.` };
  }
  return { ...common, verdict: 'unclear', why: `The answer was ${inWords(answer)}, which proves nothing.` };
}

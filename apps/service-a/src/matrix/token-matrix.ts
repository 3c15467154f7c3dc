import { Injectable } from '@nestjs/common';
import { AttackNotRun, AttackRuns, failureReason, StolenTokens, type TokenInWords, type TokenRow } from 'demo';
import { AttackTools } from '../attacks/attack-tools.js';
import { AttacksAtBClient } from '../attacks/attacks-at-b.client.js';
import { evaluateAnswer, evaluateAnswers, SERVICES, type Cell, type StolenToken } from './evaluate-answers.js';

export interface ShownRow extends StolenToken {
  /** The sealed row, so every replica can show its token again. */
  readonly id?: string;
  readonly token: TokenInWords;
  /** The expiry in seconds since the epoch, or 0 for a row without a token. */
  readonly expiresAt: number;
}

export interface MatrixRow extends ShownRow {
  readonly cells: readonly Cell[];
  readonly notRun?: string;
}

export interface ShownAgain {
  readonly row: ShownRow;
  readonly cell: Cell;
}

interface SealedRow extends Omit<ShownRow, 'id'> {
  /** The token, sealed by the service that holds it. */
  readonly tokenId: string;
}

/** Lists the tokens in the order of the table, like {@link PASSED_ON}. */
export const EXCHANGED: readonly StolenToken[] = [
  { holder: 'service-a', meantFor: ['service-a'] },
  { holder: 'service-a', meantFor: ['service-b'] },
  { holder: 'service-b', meantFor: ['service-c'] },
];

export const PASSED_ON: readonly StolenToken[] = SERVICES.map((holder) => ({ holder, meantFor: SERVICES }));

const SCOPES: Readonly<Record<string, string>> = { 'service-a': 'orders.read', 'service-b': 'orders.approve' };

@Injectable()
export class TokenMatrix {
  readonly #stolen: StolenTokens;

  constructor(
    private readonly tools: AttackTools,
    private readonly serviceB: AttacksAtBClient,
    private readonly runs: AttackRuns,
  ) {
    const { serviceA, serviceB: b, serviceC, seal } = tools;
    this.#stolen = new StolenTokens({ 'service-a': serviceA, 'service-b': b, 'service-c': serviceC }, seal);
  }

  /** The rows also report refusals and failures, so the promise does not reject. */
  async exchanged(yours?: string): Promise<readonly MatrixRow[]> {
    return this.#run(EXCHANGED, (stolen) => this.#row(stolen, () => this.#exchangedToken(stolen, yours)));
  }

  async passedOn(): Promise<readonly MatrixRow[]> {
    let token: Promise<string> | undefined;
    return this.#run(PASSED_ON, (stolen) =>
      this.#row(stolen, async () => this.#stolen.show(await (token ??= this.#oneForAll()))),
    );
  }

  async showAgain(id: string, service: string): Promise<ShownAgain | { readonly notRun: string } | undefined> {
    const sealed = this.tools.seal.open(id);
    if (sealed === undefined || !SERVICES.includes(service)) return undefined;
    const { tokenId, ...shown } = JSON.parse(sealed) as SealedRow;
    return this.runs.run('matrix', async () => {
      const { serviceB } = this;
      const answer = (await this.#stolen.showAgain(tokenId, service)) ?? (await serviceB.showAgain(tokenId, service));
      return { row: { ...shown, id }, cell: evaluateAnswer(shown, { service, answer }) };
    });
  }

  async #run(
    tokens: readonly StolenToken[],
    rowOf: (stolen: StolenToken) => Promise<MatrixRow>,
  ): Promise<readonly MatrixRow[]> {
    const rows = await this.runs.run('matrix', async () => Promise.all(tokens.map(rowOf)));
    return 'notRun' in rows ? tokens.map((stolen) => notRun(stolen, rows.notRun)) : rows;
  }

  async #row(stolen: StolenToken, show: () => Promise<TokenRow>): Promise<MatrixRow> {
    try {
      const { id: tokenId, token, expiresAt, tries } = await show();
      const shown = { ...stolen, token, expiresAt };
      const id = this.tools.seal.seal(JSON.stringify({ ...shown, tokenId } satisfies SealedRow));
      return { ...shown, id, cells: evaluateAnswers(shown, tries) };
    } catch (error) {
      return notRun(stolen, failureReason(error));
    }
  }

  async #exchangedToken({ meantFor: [service = ''] }: StolenToken, yours: string | undefined): Promise<TokenRow> {
    if (service === 'service-a' && yours !== undefined) return this.#stolen.show(yours);
    const scope = SCOPES[service];
    return scope === undefined
      ? this.serviceB.tokenRow(SERVICES)
      : this.#stolen.show(await this.tools.keycloak.ownToken(scope));
  }

  async #oneForAll(): Promise<string> {
    const { keycloak, oneForAllClient } = this.tools;
    try {
      return (await keycloak.tokens({ grant_type: 'client_credentials' }, oneForAllClient)).accessToken;
    } catch (error) {
      if (!(error instanceof AttackNotRun)) throw error;
      throw new AttackNotRun(
        `${error.message} npm start and docker compose add this client to a realm that they start; node scripts/start/demo-client.mjs adds it to another.`,
      );
    }
  }
}

const notRun = (stolen: StolenToken, why: string): MatrixRow => ({
  ...stolen,
  token: {},
  expiresAt: 0,
  cells: [],
  notRun: why,
});

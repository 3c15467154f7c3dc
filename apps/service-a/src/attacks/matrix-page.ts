/** Matrix page: the page models of the table of stolen tokens, before and after they were tried. */
import type { Page } from '../pages/pages.js';
import { inWords } from './judge-attack.js';
import {
  nameOf,
  STOLEN_TOKENS,
  type CellVerdict,
  type MatrixCell,
  type MatrixRow,
  type StolenToken,
} from './token-matrix.js';

/** Words and signs, so that the table does not rely on colour. */
const VERDICTS: Readonly<Record<CellVerdict, { readonly sign: string; readonly words: string }>> = {
  opens: { sign: '●', words: 'Opens' },
  closed: { sign: '✗', words: 'Refused' },
  leak: { sign: '!', words: 'OPEN, and must not be' },
  unclear: { sign: '?', words: 'Unclear' },
};

export interface MatrixModel {
  /** The names of the columns. */
  readonly services: readonly string[];
  readonly rows: readonly object[];
  readonly summary?: { readonly words: string; readonly isAsDue: boolean };
}

const namesOf = ({ holder, meantFor }: StolenToken): object => ({ holder: nameOf(holder), madeFor: nameOf(meantFor) });

const SERVICES = ['Service A', 'Service B', 'Service C'];

/** Before: which tokens there are, and no answer yet. */
export const UNTRIED: MatrixModel = {
  services: SERVICES,
  rows: STOLEN_TOKENS.map((stolen) => ({ ...namesOf(stolen), cells: [] })),
};

export function matrixPage(rows: readonly MatrixRow[], nowMs = Date.now()): Page {
  const summary = summaryOf(rows);
  const matrix = { services: SERVICES, rows: rows.map((row) => rowModel(row, nowMs)), summary };
  return { template: 'matrix-run', model: { title: summary.words, matrix } };
}

function rowModel(row: MatrixRow, nowMs: number): object {
  const { token, expiresAt, cells, notRun } = row;
  const ends = new Date(expiresAt * 1000).toISOString();
  return {
    ...namesOf(row),
    notRun,
    ends,
    until: `${ends.slice(11, 19)} UTC`,
    secondsLeft: Math.max(0, Math.ceil(expiresAt - nowMs / 1000)),
    token: Object.entries(token),
    cells: cells.map(cellModel),
  };
}

const cellModel = ({ service, verdict, why, answer }: MatrixCell): object => ({
  service: nameOf(service),
  verdict,
  ...VERDICTS[verdict],
  why,
  answer: inWords(answer),
});

function summaryOf(rows: readonly MatrixRow[]): NonNullable<MatrixModel['summary']> {
  const cells = rows.flatMap((row) => row.cells);
  const of = (verdict: CellVerdict): number => cells.filter((cell) => cell.verdict === verdict).length;
  const expected = STOLEN_TOKENS.length * SERVICES.length;
  if (of('opens') === STOLEN_TOKENS.length && of('closed') === expected - STOLEN_TOKENS.length) {
    return { words: 'Each token opens the one service that it was made for, and no other', isAsDue: true };
  }
  const leaks = of('leak') === 0 ? '' : `${of('leak')} doors are open that must not be; `;
  const proven = of('opens') + of('closed') + of('leak');
  return {
    words: `Not as it is due: ${leaks}${expected - proven} of ${expected} answers prove nothing`,
    isAsDue: false,
  };
}

/** Matrix page: the page models of the table of stolen tokens, before and after they were tried. */
import type { Page } from '../pages/pages.js';
import { inWords } from './judge-attack.js';
import { nameOf, type CellVerdict, type MatrixCell, type MatrixRow } from './token-matrix.js';

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
  readonly rows: readonly {
    readonly holder: string;
    readonly madeFor: string;
    readonly expiresAt?: number;
    /** The same as a time of day. */
    readonly until?: string;
    readonly token: readonly (readonly [string, string])[];
    /** Empty before they were tried. */
    readonly cells: readonly object[];
  }[];
  readonly summary?: { readonly words: string; readonly isAsDue: boolean };
}

/** Before: which tokens there are, and no answer yet. */
export const UNTRIED: MatrixModel = {
  services: ['Service A', 'Service B', 'Service C'],
  rows: [
    { holder: 'Service A', madeFor: 'Service A', token: [], cells: [] },
    { holder: 'Service A', madeFor: 'Service B', token: [], cells: [] },
    { holder: 'Service B', madeFor: 'Service C', token: [], cells: [] },
  ],
};

export function matrixModel(rows: readonly MatrixRow[]): MatrixModel {
  return {
    services: UNTRIED.services,
    rows: rows.map(({ holder, token, expiresAt, cells }) => ({
      holder: nameOf(holder),
      madeFor: nameOf(token.aud ?? ''),
      expiresAt,
      until: `${new Date(expiresAt * 1000).toISOString().slice(11, 19)} UTC`,
      token: Object.entries(token),
      cells: cells.map(cellModel),
    })),
    summary: summaryOf(rows.flatMap(({ cells }) => cells)),
  };
}

export function matrixPage(rows: readonly MatrixRow[]): Page {
  const matrix = matrixModel(rows);
  return { template: 'matrix-run', model: { title: matrix.summary?.words ?? '', matrix } };
}

const cellModel = ({ service, verdict, why, answer }: MatrixCell): object => ({
  service: nameOf(service),
  verdict,
  ...VERDICTS[verdict],
  why,
  answer: inWords(answer),
});

function summaryOf(cells: readonly MatrixCell[]): NonNullable<MatrixModel['summary']> {
  const of = (verdict: CellVerdict): number => cells.filter((cell) => cell.verdict === verdict).length;
  const isAsDue = of('opens') === 3 && of('closed') === cells.length - 3;
  const words = isAsDue
    ? 'Each token opens the one service that it was made for, and no other'
    : `Not as it is due: ${of('leak')} of ${cells.length} doors stand open, ${of('unclear')} are unclear`;
  return { words, isAsDue };
}

/** Matrix page: the page models of the table of stolen tokens, before and after they were tried. */
import { inWords } from '../attacks/judge-attack.js';
import type { Page } from '../pages/pages.js';
import { inWordsOf, nameOf, SERVICES, type Cell, type StolenToken, type Verdict } from './judge-doors.js';
import { EXCHANGED, type MatrixRow, type ShownAgain } from './token-matrix.js';

/** Words and signs, so that the table does not rely on colour. */
const VERDICTS: Readonly<Record<Verdict, { readonly sign: string; readonly words: string }>> = {
  opens: { sign: '●', words: 'Opens' },
  exposed: { sign: '!', words: 'Opens too' },
  closed: { sign: '✗', words: 'Refused' },
  ended: { sign: '✗', words: 'Refused' },
  leak: { sign: '!', words: 'OPEN, and must not be' },
  unclear: { sign: '?', words: 'Unclear' },
};

/** Who looks at it: a session's forms carry its CSRF token. */
export interface Viewer {
  readonly csrfToken: string;
}

export interface MatrixModel {
  /** The names of the columns. */
  readonly services: readonly string[];
  readonly rows: readonly object[];
  readonly csrfToken: string | undefined;
  readonly summary?: { readonly words: string; readonly isGood: boolean };
}

const COLUMNS = SERVICES.map(nameOf);

/** `isYours`: the token of the user who is logged in, which Service A keeps. */
const namesOf = ({ holder, meantFor }: StolenToken, isYours: boolean): object => ({
  madeFor: meantFor.length === SERVICES.length ? 'all three' : inWordsOf(meantFor),
  from: isYours ? 'yours, at Service A' : `taken from ${nameOf(holder)}`,
});

/** The first token is that of the user, if there is one. */
const isYours = (at: number, viewer: Viewer | undefined): boolean => at === 0 && viewer !== undefined;

/** Before: which tokens there are, and no answer yet. */
export const untried = (viewer: Viewer | undefined): MatrixModel => ({
  services: COLUMNS,
  rows: EXCHANGED.map((stolen, at) => ({ ...namesOf(stolen, isYours(at, viewer)), cells: [] })),
  csrfToken: viewer?.csrfToken,
});

export function matrixPage(rows: readonly MatrixRow[], viewer?: Viewer): Page {
  const summary = summaryOf(rows);
  const models = rows.map((row, at) => rowModel(row, isYours(at, viewer) && !isPassedOn(row)));
  const matrix: MatrixModel = { services: COLUMNS, rows: models, csrfToken: viewer?.csrfToken, summary };
  return { template: 'matrix-run', model: { title: summary.words, matrix } };
}

export function shownAgainPage({ row, cell }: ShownAgain, viewer?: Viewer): Page {
  const model = cellModel(cell, row);
  const title = `${nameOf(cell.service)}: ${VERDICTS[cell.verdict].words}`;
  return { template: 'matrix-again', model: { title, cell: model, csrfToken: viewer?.csrfToken } };
}

const isPassedOn = ({ meantFor }: StolenToken): boolean => meantFor.length > 1;

const rowModel = (row: MatrixRow, yours: boolean): object => ({
  ...namesOf(row, yours),
  notRun: row.notRun,
  cells: row.cells.map((cell) => cellModel(cell, row)),
});

function cellModel({ service, verdict, why, answer }: Cell, row: MatrixRow): object {
  const ends = new Date(row.expiresAt * 1000).toISOString();
  return {
    id: row.id,
    clientId: service,
    service: nameOf(service),
    verdict,
    ...VERDICTS[verdict],
    why,
    answer: inWords(answer),
    madeFor: inWordsOf(row.meantFor),
    isOpen: verdict === 'opens' || verdict === 'exposed',
    ends,
    until: `${ends.slice(11, 19)} UTC`,
    secondsLeft: Math.max(0, Math.ceil(row.expiresAt - Date.now() / 1000)),
    token: Object.entries(row.token),
  };
}

function summaryOf(rows: readonly MatrixRow[]): NonNullable<MatrixModel['summary']> {
  const cells = rows.flatMap((row) => row.cells);
  const of = (verdict: Verdict): number => cells.filter((cell) => cell.verdict === verdict).length;
  const expected = rows.length * SERVICES.length;
  if (rows.every(isPassedOn) && of('exposed') === expected) {
    return { words: 'One token for all: stolen from any service, it opens all three', isGood: false };
  }
  if (of('opens') === rows.length && of('closed') === expected - rows.length) {
    return { words: 'Each token opens the one service that it was made for, and no other', isGood: true };
  }
  const leaks = of('leak') === 0 ? '' : `${of('leak')} doors are open that must not be; `;
  const proven = of('opens') + of('closed') + of('leak') + of('exposed');
  return {
    words: `Not as it is due: ${leaks}${expected - proven} of ${expected} answers prove nothing`,
    isGood: false,
  };
}

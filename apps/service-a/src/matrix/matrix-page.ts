import { inWords } from '../attacks/evaluate-attack.js';
import type { RefusedPage } from '../login/refusal-page.filter.js';
import type { Page } from '../pages/pages.js';
import { inWordsOf, nameOf, SERVICES, type Cell, type StolenToken, type Verdict } from './evaluate-answers.js';
import { EXCHANGED, type MatrixRow, type ShownAgain, type ShownRow } from './token-matrix.js';

const VERDICTS: Readonly<Record<Verdict, { readonly sign: string; readonly words: string }>> = {
  opens: { sign: '●', words: 'Opens' },
  exposed: { sign: '!', words: 'Opens' },
  closed: { sign: '✓', words: 'Refused' },
  ended: { sign: '✓', words: 'Refused' },
  leak: { sign: '!', words: 'OPEN, and must not be' },
  unclear: { sign: '?', words: 'Unclear' },
};

export interface Viewer {
  readonly csrfToken: string;
}

export interface MatrixModel {
  readonly services: readonly string[];
  readonly rows: readonly object[];
  readonly csrfToken: string | undefined;
  readonly summary?: { readonly words: string; readonly isGood: boolean };
}

const COLUMNS = SERVICES.map(nameOf);

function namesOf({ holder, meantFor }: StolenToken, isYours: boolean): object {
  const madeFor = forWhom({ meantFor });
  if (meantFor.length > 1) return { madeFor, from: `held by ${nameOf(holder)}` };
  if (!meantFor.includes(holder)) {
    return { madeFor, from: `held by ${letterOf(holder)}, to call ${letterOf(meantFor[0])}` };
  }
  return { madeFor, from: isYours ? `yours, held by ${letterOf(holder)}` : `held by ${nameOf(holder)}` };
}

const forWhom = ({ meantFor }: Pick<StolenToken, 'meantFor'>): string =>
  meantFor.length === SERVICES.length ? 'all three' : inWordsOf(meantFor);

const letterOf = (service = ''): string => nameOf(service).replace(/^Service /, '');

const isYours = (at: number, viewer: Viewer | undefined): boolean => at === 0 && viewer !== undefined;

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
  const title = `The token for ${forWhom(row)}, at ${nameOf(cell.service)}`;
  return { template: 'matrix-again', model: { title, cell: cellModel(cell, row), csrfToken: viewer?.csrfToken } };
}

export const notShownPage = (why: string): Page => ({
  template: 'matrix-again',
  model: { title: 'The token was not shown again', why },
});

export const matrixRefusedPage = (refused: RefusedPage): Page => ({
  template: 'demo-refused',
  model: { ...refused, what: 'The tokens were not shown', back: { href: '/', words: 'Back to the start' } },
});

const isPassedOn = ({ meantFor }: StolenToken): boolean => meantFor.length > 1;

const rowModel = (row: MatrixRow, yours: boolean): object => ({
  ...namesOf(row, yours),
  notRun: row.notRun,
  cells: row.cells.map((cell) => cellModel(cell, row)),
});

function cellModel({ service, verdict, why, answer }: Cell, row: ShownRow): object {
  const ends = new Date(row.expiresAt * 1000).toISOString();
  return {
    id: row.id,
    clientId: service,
    service: nameOf(service),
    verdict,
    ...VERDICTS[verdict],
    why,
    answer: inWords(answer),
    madeFor: forWhom(row),
    isOpen: verdict === 'opens' || verdict === 'exposed',
    // A repeated refusal of a token for another service would prove nothing new.
    isShownAgain: row.meantFor.includes(service),
    shownBy: showerOf(row),
    ends,
    until: `${ends.slice(11, 19)} UTC`,
    secondsLeft: Math.max(0, Math.ceil(row.expiresAt - Date.now() / 1000)),
    token: Object.entries(row.token),
  };
}

function showerOf(row: ShownRow): string {
  return isPassedOn(row) ? 'Service A, which got this token itself and shows it once for each row' : nameOf(row.holder);
}

function summaryOf(rows: readonly MatrixRow[]): NonNullable<MatrixModel['summary']> {
  const cells = rows.flatMap((row) => row.cells);
  const of = (verdict: Verdict): number => cells.filter((cell) => cell.verdict === verdict).length;
  const expected = rows.length * SERVICES.length;
  if (rows.every(isPassedOn) && of('exposed') === expected) {
    return {
      words: `One token for all: stolen from any service, it works in ${expected} of ${expected} tries`,
      isGood: false,
    };
  }
  if (of('opens') === rows.length && of('closed') === expected - rows.length) {
    return {
      words: `Each token opens the one service that it was made for: ${rows.length} of ${expected} tries`,
      isGood: true,
    };
  }
  const unclear = expected - cells.length + of('unclear');
  return {
    words: `Not as expected. Tries that are accepted and must not be: ${of('leak')}. Answers that prove nothing: ${unclear} of ${expected}`,
    isGood: false,
  };
}

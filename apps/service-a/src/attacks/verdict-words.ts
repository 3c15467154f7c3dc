import type { Verdict } from './evaluate-attack.js';

export interface VerdictWords {
  readonly sign: string;
  readonly words: string;
}

export const VERDICT_WORDS: Readonly<Record<Verdict, VerdictWords>> = {
  refused: { sign: '✓', words: 'Refused, for the expected reason' },
  open: { sign: '✗', words: 'OPEN: it got through' },
  refused_otherwise: { sign: '✗', words: 'Refused, but not for the expected reason' },
  not_run: { sign: '?', words: 'Could not be run' },
};

/** Attacks page: what a page shows of attacks that were run. */
import type { AttackReport } from '../attacks/attack-lab.js';
import { inWords } from '../attacks/judge-attack.js';
import { VERDICT_WORDS } from './verdict-words.js';

export interface AttacksPage {
  readonly title: string;
  readonly allRefused: boolean;
  readonly outcomes: readonly object[];
}

export function attacksPage(reports: readonly AttackReport[]): AttacksPage {
  const refused = reports.filter(({ verdict }) => verdict === 'refused').length;
  return { title: titleOf(reports, refused), allRefused: refused === reports.length, outcomes: reports.map(outcomeOf) };
}

function titleOf(reports: readonly AttackReport[], refused: number): string {
  const [first] = reports;
  if (reports.length === 1 && first !== undefined) return VERDICT_WORDS[first.verdict].words;
  return refused === reports.length
    ? `All ${refused} attacks were refused, each for the expected reason`
    : `${refused} of ${reports.length} attacks were refused for the expected reason`;
}

function outcomeOf({ attack, attempt, verdict, why }: AttackReport): object {
  const common = { attack, verdict, why, due: inWords(attack.expected), ...VERDICT_WORDS[verdict] };
  if ('notRun' in attempt) return { ...common, sent: undefined, control: undefined, token: [] };
  return {
    ...common,
    sent: attempt.attack,
    cameBack: inWords(attempt.attack.answer),
    control: attempt.control,
    controlCameBack: inWords(attempt.control.answer),
    token: Object.entries(attempt.token ?? {}),
  };
}

import type { RefusedAfter } from 'demo';
import type { RefusedPage } from '../login/refusal-page.filter.js';
import type { Page } from '../pages/pages.js';
import type { AttackReport } from './attack-lab.js';
import { byGroup } from './attack-groups.js';
import { inWords, isSame } from './evaluate-attack.js';
import { VERDICT_WORDS } from './verdict-words.js';

export function attacksRunPage(reports: readonly AttackReport[]): Page {
  const refused = reports.filter(({ verdict }) => verdict === 'refused').length;
  const [title, allRefused] = [titleOf(reports, refused), refused === reports.length];
  const groups = byGroup(reports, ({ attack }) => attack.group).map(({ members, ...group }) => ({
    ...group,
    result: groupResult(members),
    outcomes: members.map(outcomeOf),
  }));
  return { template: 'attacks-run', model: { title, allRefused, groups } };
}

export const attacksRefusedPage = (refused: RefusedPage): Page => ({
  template: 'demo-refused',
  model: { ...refused, what: 'The attacks were not run', back: { href: '/#attacks', words: 'Back to the attacks' } },
});

function titleOf(reports: readonly AttackReport[], refused: number): string {
  const [first] = reports;
  if (reports.length === 1 && first !== undefined) return VERDICT_WORDS[first.verdict].words;
  return refused === reports.length
    ? `All ${refused} attacks were refused, each for the expected reason`
    : `${refused} of ${reports.length} attacks were refused for the expected reason`;
}

const inSeconds = ({ service, seconds }: RefusedAfter): string => `${service} ${seconds.toFixed(1)} s`;

const groupResult = (reports: readonly AttackReport[]): string =>
  `${reports.filter(({ verdict }) => verdict === 'refused').length} of ${reports.length} refused`;

function outcomeOf({ attack, attempt, verdict, why }: AttackReport): object {
  const common = {
    attack,
    verdict,
    why,
    expected: attack.refusals.map(({ answer }) => inWords(answer)).join(' or '),
    ...VERDICT_WORDS[verdict],
  };
  if ('notRun' in attempt) return { ...common, sent: undefined, control: undefined, token: [] };
  return {
    ...common,
    sent: attempt.attack,
    refusal: attack.refusals.find(({ answer }) => isSame(answer, attempt.attack.answer)) ?? attack.refusals[0],
    cameBack: inWords(attempt.attack.answer),
    answered: [attempt.attack.answer.status, attempt.attack.answer.code].join(' '),
    control: attempt.control,
    controlCameBack: inWords(attempt.control.answer),
    token: Object.entries(attempt.token ?? {}),
    forged: attempt.forged,
    refusedAfter: (attempt.refusedAfter ?? []).map(inSeconds),
  };
}

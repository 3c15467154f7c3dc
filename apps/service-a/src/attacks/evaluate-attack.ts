import { isAccepted, type AttackAnswer, type Attempt } from 'demo';

/**
 * - `refused`: the attack got the expected refusal, and the honest use of the same credential was accepted
 * - `open`: the attack succeeded
 * - `refused_otherwise`: refused, but with an unexpected status, code, reason or permission
 * - `not_run`: the result proves nothing
 */
export type Verdict = 'refused' | 'open' | 'refused_otherwise' | 'not_run';

export interface Evaluation {
  readonly verdict: Verdict;
  readonly why: string;
}

export function evaluateAttack(due: readonly AttackAnswer[], attempt: Attempt): Evaluation {
  if ('notRun' in attempt) return { verdict: 'not_run', why: attempt.notRun };
  const [attack, control] = [attempt.attack.answer, attempt.control.answer];
  // If a service accepted the attack, the verdict is `open`, even if the honest request failed.
  if (isAccepted(attack)) return { verdict: 'open', why: `It was accepted: ${inWords(attack)}.` };
  const undecided = [attack, control].find(({ status }) => status >= 500);
  if (undecided !== undefined) {
    return { verdict: 'not_run', why: `The server could not decide: ${inWords(undecided)}.` };
  }
  if (!isAccepted(control)) {
    return {
      verdict: 'not_run',
      why: `The honest use was refused too (${inWords(control)}), so this proves nothing.`,
    };
  }
  if (due.some((expected) => isSame(attack, expected)))
    return { verdict: 'refused', why: `Refused as expected: ${inWords(attack)}.` };
  return {
    verdict: 'refused_otherwise',
    why: `Refused with ${inWords(attack)}; expected was ${due.map(inWords).join(' or ')}.`,
  };
}

export function inWords({ status, code, reason, permission }: AttackAnswer): string {
  const further = [code, reason, permission].filter((part) => part !== undefined);
  return further.length === 0 ? String(status) : `${status} ${further.join(', ')}`;
}

export const isSame = (one: AttackAnswer, other: AttackAnswer): boolean =>
  (['status', 'code', 'reason', 'permission'] as const).every((name) => one[name] === other[name]);

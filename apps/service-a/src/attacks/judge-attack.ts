/** Judge attack: whether an attack met the refusal that was due, and anything else is told from that. */
import { isAccepted, type AttackAnswer, type Attempt } from 'demo';

/**
 * - `refused`: by the refusal that was due, while the honest use of the same credential was accepted. The only good one.
 * - `open`: it got through.
 * - `refused_otherwise`: by another status, code, reason or permission than was due.
 * - `not_run`: nothing was proven, one way or the other.
 */
export type Verdict = 'refused' | 'open' | 'refused_otherwise' | 'not_run';

export interface Judgement {
  readonly verdict: Verdict;
  /** As a sentence. */
  readonly why: string;
}

export function judgeAttack(expected: AttackAnswer, attempt: Attempt): Judgement {
  if ('notRun' in attempt) return { verdict: 'not_run', why: attempt.notRun };
  const [attack, control] = [attempt.attack.answer, attempt.control.answer];
  // First: what got through is open, whatever else went wrong.
  if (isAccepted(attack)) return { verdict: 'open', why: `It was accepted: ${inWords(attack)}.` };
  const undecided = [attack, control].find(({ status }) => status >= 500);
  if (undecided !== undefined) {
    return { verdict: 'not_run', why: `Who was asked could not decide: ${inWords(undecided)}.` };
  }
  if (!isAccepted(control)) {
    return {
      verdict: 'not_run',
      why: `The honest use was refused as well (${inWords(control)}): that proves nothing.`,
    };
  }
  if (isSame(attack, expected)) return { verdict: 'refused', why: `Refused as it should be: ${inWords(attack)}.` };
  return { verdict: 'refused_otherwise', why: `Refused with ${inWords(attack)}, but due was ${inWords(expected)}.` };
}

export function inWords({ status, code, reason, permission }: AttackAnswer): string {
  const further = [code, reason, permission].filter((part) => part !== undefined);
  return further.length === 0 ? String(status) : `${status} ${further.join(', ')}`;
}

const isSame = (one: AttackAnswer, other: AttackAnswer): boolean =>
  (['status', 'code', 'reason', 'permission'] as const).every((name) => one[name] === other[name]);

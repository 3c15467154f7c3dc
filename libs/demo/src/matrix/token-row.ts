import { AttackNotRun, NO_ANSWER, tokenInWords, type AttackAnswer, type TokenInWords } from '../attacks/attempt.js';
import type { AttackTarget } from '../attacks/attack-target.js';

export interface TriedService {
  readonly service: string;
  readonly answer: AttackAnswer;
}

export interface TokenRow {
  /** The token, sealed by the service that sent this row. */
  readonly id: string;
  readonly token: TokenInWords;
  /** The expiry, in seconds since the epoch. */
  readonly expiresAt: number;
  readonly tries: readonly TriedService[];
}

export type Targets = Readonly<Record<string, AttackTarget>>;

/** The status of a service that does not answer is 0. */
export async function tryToken(token: string, targets: Targets): Promise<Omit<TokenRow, 'id'>> {
  const { words, expiresAt } = tokenInWords(token);
  const answers = Object.entries(targets).map(async ([service, target]) => ({
    service,
    answer: await answerOf(target, token),
  }));
  return { token: words, expiresAt, tries: await Promise.all(answers) };
}

export const answerOf = (target: AttackTarget, token: string): Promise<AttackAnswer> =>
  target.whoami(token).catch(noAnswer);

function noAnswer(error: unknown): AttackAnswer {
  if (error instanceof AttackNotRun) return NO_ANSWER;
  throw error;
}

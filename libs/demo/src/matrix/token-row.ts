/** TokenRow: one stolen token, and what each service answers when it is shown there. */
import { AttackNotRun, NO_ANSWER, tokenInWords, type AttackAnswer, type TokenInWords } from '../attacks/attempt.js';
import type { AttackTarget } from '../attacks/attack-target.js';

/** A service, by its client id, and its answer to the token. */
export interface Door {
  readonly service: string;
  readonly answer: AttackAnswer;
}

export interface TokenRow {
  /** Who showed the token keeps it under this id. */
  readonly id: string;
  readonly token: TokenInWords;
  /** When it ends; seconds since the epoch. */
  readonly expiresAt: number;
  readonly doors: readonly Door[];
}

/** The services at which tokens are shown, by their client ids, in the order of the table. */
export type Targets = Readonly<Record<string, AttackTarget>>;

/** Shows the token to all of them at once. The answer of one that gives none has the status 0: what the others say counts all the same. */
export async function tryDoors(token: string, targets: Targets): Promise<Omit<TokenRow, 'id'>> {
  const { words, expiresAt } = tokenInWords(token);
  const doors = Object.entries(targets).map(async ([service, target]) => ({
    service,
    answer: await answerOf(target, token),
  }));
  return { token: words, expiresAt, doors: await Promise.all(doors) };
}

export const answerOf = (target: AttackTarget, token: string): Promise<AttackAnswer> =>
  target.whoami(token).catch(noAnswer);

function noAnswer(error: unknown): AttackAnswer {
  if (error instanceof AttackNotRun) return NO_ANSWER;
  throw error;
}

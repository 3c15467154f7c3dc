/** TokenRow: one stolen token, and what each service answers when it is shown there. */
import { tokenInWords, type AttackAnswer, type TokenInWords } from '../attacks/attempt.js';
import type { AttackTarget } from '../attacks/attack-target.js';

/** A service, by its client id, and its answer to the token. */
export interface Door {
  readonly service: string;
  readonly answer: AttackAnswer;
}

export interface TokenRow {
  readonly token: TokenInWords;
  /** When it ends; seconds since the epoch. */
  readonly expiresAt: number;
  readonly doors: readonly Door[];
}

/** The services at which tokens are shown, by their client ids, in the order of the table. */
export type Targets = Readonly<Record<string, AttackTarget>>;

/** Shows the token to all of them at once. Throws `AttackNotRun` when one gives no answer. */
export async function tryDoors(token: string, targets: Targets): Promise<TokenRow> {
  const doors = Object.entries(targets).map(async ([service, target]) => ({
    service,
    answer: await target.whoami(token),
  }));
  const { words, expiresAt } = tokenInWords(token);
  return { token: words, expiresAt, doors: await Promise.all(doors) };
}

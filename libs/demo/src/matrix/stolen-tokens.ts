/** StolenTokens: shows a token to every service, and keeps it so that it can be shown once more, after it has ended. */
import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { AttackAnswer } from '../attacks/attempt.js';
import { answerOf, tryDoors, type Targets, type TokenRow } from './token-row.js';

/** Longer than any token of the demonstration lives. */
const KEPT_MS = 15 * 60 * 1000;
const MAX_KEPT = 300;

export class StolenTokens {
  readonly #kept = new LRUCache<string, string>({ max: MAX_KEPT, ttl: KEPT_MS });

  constructor(private readonly targets: Targets) {}

  async show(token: string): Promise<TokenRow> {
    const id = randomUUID();
    this.#kept.set(id, token);
    return { id, ...(await tryDoors(token, this.targets)) };
  }

  /** Undefined when the token is not kept, or there is no such service. */
  async showAgain(id: string, service: string): Promise<AttackAnswer | undefined> {
    const token = this.#kept.get(id);
    const target = Object.hasOwn(this.targets, service) ? this.targets[service] : undefined;
    return token === undefined || target === undefined ? undefined : answerOf(target, token);
  }
}

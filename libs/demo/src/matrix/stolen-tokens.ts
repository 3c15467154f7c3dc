/** StolenTokens: shows a token to every service, and keeps it so that it can be shown once more, after it has ended. */
import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { AttackAnswer } from '../attacks/attempt.js';
import { answerOf, tryDoors, type Targets, type TokenRow } from './token-row.js';

/** How many tokens are kept, and for how long at most: longer than any of the demonstration lives. */
export const KEPT = { max: 300, ttl: 15 * 60 * 1000 } as const;

/** For so long after its end a token is kept: it opens nothing, and that is shown. */
const AFTER_END_MS = 60_000;

export class StolenTokens {
  // Without purging an ended one would stay until others take its place, or it is asked for.
  readonly #kept = new LRUCache<string, string>({ ...KEPT, ttlAutopurge: true });

  constructor(private readonly targets: Targets) {}

  /** How many are in memory. */
  get size(): number {
    return this.#kept.size;
  }

  async show(token: string): Promise<TokenRow> {
    const id = randomUUID();
    const row = await tryDoors(token, this.targets);
    const ttl = Math.min(KEPT.ttl, Math.max(1, row.expiresAt * 1000 + AFTER_END_MS - Date.now()));
    this.#kept.set(id, token, { ttl });
    return { id, ...row };
  }

  /** Undefined when the token is not kept, or there is no such service. */
  async showAgain(id: string, service: string): Promise<AttackAnswer | undefined> {
    const token = this.#kept.get(id);
    const target = Object.hasOwn(this.targets, service) ? this.targets[service] : undefined;
    return token === undefined || target === undefined ? undefined : answerOf(target, token);
  }
}

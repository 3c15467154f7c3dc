import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { AttackAnswer } from '../attacks/attempt.js';
import { answerOf, tryToken, type Targets, type TokenRow } from './token-row.js';

export const KEPT = { max: 300, ttl: 15 * 60 * 1000 } as const;

/** How long an expired token is kept, to show that services refuse the token. */
const AFTER_END_MS = 60_000;

export class StolenTokens {
  readonly #kept = new LRUCache<string, string>({ ...KEPT, ttlAutopurge: true });

  constructor(private readonly targets: Targets) {}

  get size(): number {
    return this.#kept.size;
  }

  async show(token: string): Promise<TokenRow> {
    const id = randomUUID();
    const row = await tryToken(token, this.targets);
    const ttl = Math.min(KEPT.ttl, Math.max(1, row.expiresAt * 1000 + AFTER_END_MS - Date.now()));
    this.#kept.set(id, token, { ttl });
    return { id, ...row };
  }

  async showAgain(id: string, service: string): Promise<AttackAnswer | undefined> {
    const token = this.#kept.get(id);
    const target = Object.hasOwn(this.targets, service) ? this.targets[service] : undefined;
    return token === undefined || target === undefined ? undefined : answerOf(target, token);
  }
}

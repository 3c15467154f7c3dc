import { aliasOf } from './security-event-types.js';

/** A `HELD` token waits for a paused stream, and a `DEAD_LETTER` token is never delivered. */
export const OUTBOX_STATUSES = ['PENDING', 'HELD', 'DELIVERED', 'DEAD_LETTER'] as const;
export type OutboxStatus = (typeof OUTBOX_STATUSES)[number];

export interface OutboxEntry {
  readonly jti: string;
  readonly receiver: string;
  readonly type: string;
  readonly createdAt: number;
  /** The signing key is the newest key at the time of the event. */
  readonly jws: Promise<string>;
}

export interface OutboxStatistics {
  readonly count: number;
  readonly oldestCreatedAt: number;
}

type Entry = OutboxEntry & { status: OutboxStatus };

export const MAX_ENTRIES = 10_000;
const QUEUED: readonly OutboxStatus[] = ['PENDING', 'HELD'];

export class Outbox {
  #entries: Entry[] = [];

  add(entry: OutboxEntry, status: 'PENDING' | 'HELD'): void {
    if (this.#entries.length === MAX_ENTRIES) this.#entries.shift();
    this.#entries.push({ ...entry, status });
  }

  pending(receiver: string): readonly OutboxEntry[] {
    return this.#of(receiver).filter(({ status }) => status === 'PENDING');
  }

  settle(receiver: string, jtis: readonly string[], status: 'DELIVERED' | 'DEAD_LETTER'): void {
    for (const entry of this.#of(receiver)) {
      if (entry.status === 'PENDING' && jtis.includes(entry.jti)) entry.status = status;
    }
  }

  hold(receiver: string): void {
    this.#move(receiver, 'PENDING', 'HELD');
  }

  release(receiver: string): void {
    this.#move(receiver, 'HELD', 'PENDING');
  }

  deleteQueued(receiver: string): void {
    this.#entries = this.#entries.filter((entry) => entry.receiver !== receiver || !QUEUED.includes(entry.status));
  }

  deleteAll(receiver: string): void {
    this.#entries = this.#entries.filter((entry) => entry.receiver !== receiver);
  }

  /** As in Keycloak 26.7, `types` must contain the aliases of event types, not their URIs. */
  giveUpAllBut(receiver: string, types: readonly string[]): void {
    for (const entry of this.#of(receiver)) {
      if (QUEUED.includes(entry.status) && !types.includes(aliasOf(entry.type))) entry.status = 'DEAD_LETTER';
    }
  }

  statistics(receiver?: string): Readonly<Partial<Record<OutboxStatus, OutboxStatistics>>> {
    const found: Partial<Record<OutboxStatus, OutboxStatistics>> = {};
    for (const { status, createdAt } of receiver === undefined ? this.#entries : this.#of(receiver)) {
      const { count = 0, oldestCreatedAt = createdAt / 1000 } = found[status] ?? {};
      found[status] = { count: count + 1, oldestCreatedAt };
    }
    return found;
  }

  purge(status: OutboxStatus, before: number | undefined, receiver?: string): number {
    const kept = this.#entries.filter(
      (entry) =>
        entry.status !== status ||
        (receiver !== undefined && entry.receiver !== receiver) ||
        (before !== undefined && entry.createdAt >= before),
    );
    const deleted = this.#entries.length - kept.length;
    this.#entries = kept;
    return deleted;
  }

  #of(receiver: string): Entry[] {
    return this.#entries.filter((entry) => entry.receiver === receiver);
  }

  #move(receiver: string, from: OutboxStatus, to: OutboxStatus): void {
    for (const entry of this.#of(receiver)) if (entry.status === from) entry.status = to;
  }
}

/** Outbox: the security event tokens of all streams, from the event until they are deleted. */
import { aliasOf } from './security-event-types.js';

/** `HELD`: until its stream is no longer paused. `DEAD_LETTER`: nobody will get it. */
export const OUTBOX_STATUSES = ['PENDING', 'HELD', 'DELIVERED', 'DEAD_LETTER'] as const;
export type OutboxStatus = (typeof OUTBOX_STATUSES)[number];

export interface OutboxEntry {
  readonly jti: string;
  /** The id of the client that is the receiver. */
  readonly receiver: string;
  /** Of the event. */
  readonly type: string;
  /** Milliseconds since 1970, by the server's clock. */
  readonly createdAt: number;
  /** The token, signed with the key that was the newest then. */
  readonly jws: Promise<string>;
}

export interface OutboxStatistics {
  readonly count: number;
  readonly oldestCreatedAt: number;
}

type Entry = OutboxEntry & { status: OutboxStatus };

/** Keycloak keeps all of those that are polled. */
export const MAX_ENTRIES = 10_000;
const QUEUED: readonly OutboxStatus[] = ['PENDING', 'HELD'];

export class Outbox {
  /** The oldest first. */
  #entries: Entry[] = [];

  /** Drops the oldest entry if there are too many. */
  add(entry: OutboxEntry, status: 'PENDING' | 'HELD'): void {
    if (this.#entries.length === MAX_ENTRIES) this.#entries.shift();
    this.#entries.push({ ...entry, status });
  }

  pending(receiver: string): readonly OutboxEntry[] {
    return this.#of(receiver).filter(({ status }) => status === 'PENDING');
  }

  /** Changes those of these that are pending, and ignores all others. */
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

  /**
   * Gives up what is queued of other types than these. As in Keycloak 26.7, that is everything unless the receiver has used
   * aliases: the types of entries are aliases.
   */
  giveUpAllBut(receiver: string, types: readonly string[]): void {
    for (const entry of this.#of(receiver)) {
      if (QUEUED.includes(entry.status) && !types.includes(aliasOf(entry.type))) entry.status = 'DEAD_LETTER';
    }
  }

  /** Of one receiver, or of all. */
  statistics(receiver?: string): Readonly<Partial<Record<OutboxStatus, OutboxStatistics>>> {
    const found: Partial<Record<OutboxStatus, OutboxStatistics>> = {};
    for (const { status, createdAt } of receiver === undefined ? this.#entries : this.#of(receiver)) {
      const { count = 0, oldestCreatedAt = createdAt / 1000 } = found[status] ?? {};
      found[status] = { count: count + 1, oldestCreatedAt };
    }
    return found;
  }

  /** Deletes what has this status, and is older than this time where there is one. Returns how many were deleted. */
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

/** SessionStore: where sessions are kept, by the hash of their id; this one in memory, and bounded. */
import { LRUCache } from 'lru-cache';
import type { UserSession } from './user-session.js';

/** What a store that several instances share would have to offer. */
export interface SessionStore {
  add(key: string, session: UserSession): Promise<void>;
  /**
   * Puts what `change` makes of a session in its place, in one step: what others change meanwhile is not lost, and one that
   * is gone is not brought back. Undefined, from `change` too, means that the session is gone.
   */
  update(key: string, change: (session: UserSession) => UserSession | undefined): Promise<UserSession | undefined>;
  delete(key: string): Promise<void>;
  deleteWhere(matches: (session: UserSession) => boolean): Promise<void>;
}

export interface StoreBounds {
  readonly maxSessions: number;
  /** Without a share of their own, one user could push out all others by logging in again and again. */
  readonly maxSessionsPerUser: number;
  readonly ttlMs: number;
}

/**
 * A user who has as many sessions as one may have loses the one of them that was used longest ago, and nobody else loses
 * any. When the store is full, the session that was used longest ago of all goes.
 */
export class MemorySessionStore implements SessionStore {
  readonly #sessions: LRUCache<string, UserSession>;
  /** By subject; of each, the one that was used longest ago comes first. */
  readonly #keys = new Map<string, Set<string>>();
  readonly #maxPerUser: number;

  constructor({ maxSessions, maxSessionsPerUser, ttlMs }: StoreBounds) {
    this.#maxPerUser = maxSessionsPerUser;
    this.#sessions = new LRUCache({
      max: maxSessions,
      ttl: ttlMs,
      // However a session goes: deleted, evicted, or over in time.
      dispose: ({ subject }, key) => this.#forgetKey(subject, key),
      noDisposeOnSet: true,
    });
  }

  async add(key: string, session: UserSession): Promise<void> {
    this.#put(key, session);
  }

  async update(
    key: string,
    change: (session: UserSession) => UserSession | undefined,
  ): Promise<UserSession | undefined> {
    const session = this.#sessions.get(key);
    const changed = session === undefined ? undefined : change(session);
    if (changed === undefined) this.#sessions.delete(key);
    else this.#put(key, changed);
    return changed;
  }

  async delete(key: string): Promise<void> {
    this.#sessions.delete(key);
  }

  async deleteWhere(matches: (session: UserSession) => boolean): Promise<void> {
    for (const [key, session] of this.#sessions.entries()) if (matches(session)) this.#sessions.delete(key);
  }

  #put(key: string, session: UserSession): void {
    const own = this.#keys.get(session.subject) ?? new Set();
    this.#keys.set(session.subject, own);
    own.delete(key);
    own.add(key);
    this.#sessions.set(key, session);
    const [usedLongestAgo] = own;
    if (own.size > this.#maxPerUser && usedLongestAgo !== undefined) this.#sessions.delete(usedLongestAgo);
  }

  #forgetKey(subject: string, key: string): void {
    const own = this.#keys.get(subject);
    own?.delete(key);
    if (own?.size === 0) this.#keys.delete(subject);
  }
}

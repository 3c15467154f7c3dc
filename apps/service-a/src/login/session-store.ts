/** SessionStore: stores sessions by the hash of their id; MemorySessionStore keeps them in memory, within limits. */
import { LRUCache } from 'lru-cache';
import type { UserSession } from './user-session.js';

/** The interface that a store shared by several instances would have to implement. */
export interface SessionStore {
  add(key: string, session: UserSession): Promise<void>;
  /**
   * Replaces a session by the result of `change`, atomically: no concurrent change is lost, and a deleted session is not revived.
   * Returns undefined when there is no session. When `change` returns undefined, the session is deleted.
   */
  update(key: string, change: (session: UserSession) => UserSession | undefined): Promise<UserSession | undefined>;
  delete(key: string): Promise<void>;
  deleteWhere(matches: (session: UserSession) => boolean): Promise<void>;
}

export interface StoreBounds {
  readonly maxSessions: number;
  /** Without a limit per user, one user could evict all others by logging in repeatedly. */
  readonly maxSessionsPerUser: number;
  readonly ttlMs: number;
}

/**
 * When a user exceeds the limit per user, the user's least recently used session is evicted. When the store is full, the least
 * recently used session of all is evicted.
 */
export class MemorySessionStore implements SessionStore {
  readonly #sessions: LRUCache<string, UserSession>;
  /** By subject; the least recently used key comes first. */
  readonly #keys = new Map<string, Set<string>>();
  readonly #maxPerUser: number;

  constructor({ maxSessions, maxSessionsPerUser, ttlMs }: StoreBounds) {
    this.#maxPerUser = maxSessionsPerUser;
    this.#sessions = new LRUCache({
      max: maxSessions,
      ttl: ttlMs,
      // Called whether a session is deleted, evicted or expired.
      dispose: ({ subject }, key) => this.#removeKey(subject, key),
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
    const [leastRecent] = own;
    // Before the new session is stored: a full store would evict the session of another user.
    if (own.size > this.#maxPerUser && leastRecent !== undefined) this.#sessions.delete(leastRecent);
    this.#sessions.set(key, session);
  }

  #removeKey(subject: string, key: string): void {
    const own = this.#keys.get(subject);
    own?.delete(key);
    if (own?.size === 0) this.#keys.delete(subject);
  }
}

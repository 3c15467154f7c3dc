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

/** When it is full, the session that was used longest ago goes. */
export class MemorySessionStore implements SessionStore {
  readonly #sessions: LRUCache<string, UserSession>;

  constructor(maxSessions: number, ttlMs: number) {
    this.#sessions = new LRUCache({ max: maxSessions, ttl: ttlMs });
  }

  async add(key: string, session: UserSession): Promise<void> {
    this.#sessions.set(key, session);
  }

  async update(
    key: string,
    change: (session: UserSession) => UserSession | undefined,
  ): Promise<UserSession | undefined> {
    const session = this.#sessions.get(key);
    const changed = session === undefined ? undefined : change(session);
    if (changed === undefined) this.#sessions.delete(key);
    else this.#sessions.set(key, changed);
    return changed;
  }

  async delete(key: string): Promise<void> {
    this.#sessions.delete(key);
  }

  async deleteWhere(matches: (session: UserSession) => boolean): Promise<void> {
    for (const [key, session] of this.#sessions.entries()) if (matches(session)) this.#sessions.delete(key);
  }
}

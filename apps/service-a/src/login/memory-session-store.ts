import { LRUCache } from 'lru-cache';
import { EndedSessions, type EndedSession } from './ended-sessions.js';
import { SessionRechecks } from './session-rechecks.js';
import { rememberedMs, type SessionClock, type SessionStore, type StoreBounds } from './session-store.js';
import type { UserSession } from './user-session.js';

const MAX_LOGINS_REMEMBERED = 10_000;

export class MemorySessionStore implements SessionStore {
  readonly isShared = false;
  readonly clock: SessionClock;
  readonly #sessions: LRUCache<string, UserSession>;
  readonly #keys = new Map<string, Set<string>>();
  readonly #maxPerUser: number;
  readonly #ended: EndedSessions;
  readonly #rechecks: SessionRechecks;
  readonly #takenLogins = new LRUCache<string, true>({ max: MAX_LOGINS_REMEMBERED });

  constructor(bounds: StoreBounds, nowMs: () => number = () => performance.now()) {
    this.clock = { nowMs, latestMs: nowMs, fromMonotonicMs: (ms) => ms };
    this.#ended = new EndedSessions(rememberedMs(bounds), nowMs);
    this.#rechecks = new SessionRechecks(nowMs);
    this.#maxPerUser = bounds.maxSessionsPerUser;
    this.#sessions = new LRUCache({
      max: bounds.maxSessions,
      ttl: bounds.sessionMaxSeconds * 1000,
      dispose: ({ subject }, key) => this.#removeKey(subject, key),
      noDisposeOnSet: true,
    });
  }

  async add(key: string, session: UserSession, issuedAt: number): Promise<boolean> {
    if (this.#ended.has({ ...session, issuedAt })) return false;
    this.#put(key, session);
    return true;
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

  async end(ended: EndedSession, issuedAt: number): Promise<void> {
    this.#ended.add(ended, issuedAt);
    const { sessionId, subject } = ended;
    for (const [key, session] of this.#sessions.entries()) {
      const isEnded = sessionId === undefined ? session.subject === subject : session.sessionId === sessionId;
      if (isEnded) this.#sessions.delete(key);
    }
  }

  async requireRecheck(): Promise<void> {
    this.#rechecks.require();
  }

  needsRecheck(askedAtMs: number): boolean {
    return this.#rechecks.areDueSince(askedAtMs);
  }

  async takeLogin(state: string, ttlSeconds: number): Promise<boolean> {
    if (this.#takenLogins.has(state)) return false;
    this.#takenLogins.set(state, true, { ttl: ttlSeconds * 1000 });
    return true;
  }

  async close(): Promise<void> {}

  #put(key: string, session: UserSession): void {
    const own = this.#keys.get(session.subject) ?? new Set();
    this.#keys.set(session.subject, own);
    own.delete(key);
    own.add(key);
    const [leastRecent] = own;
    // Deletes the old session first, since a full store would evict another user's session.
    if (own.size > this.#maxPerUser && leastRecent !== undefined) this.#sessions.delete(leastRecent);
    this.#sessions.set(key, session);
  }

  #removeKey(subject: string, key: string): void {
    const own = this.#keys.get(subject);
    own?.delete(key);
    if (own?.size === 0) this.#keys.delete(subject);
  }
}

/** EndedSessions: sessions that Keycloak said are over, remembered so that nothing under way can bring one back. */
import { LRUCache } from 'lru-cache';

/** What a logout token says: a session, or all sessions of a user. */
export interface EndedSession {
  readonly sessionId: string | undefined;
  readonly subject: string | undefined;
}

const MAX_REMEMBERED = 100_000;

export class EndedSessions {
  readonly #bySession: LRUCache<string, true>;
  /** With the time, in seconds since the epoch, up to which logins of the user are over. */
  readonly #bySubject: LRUCache<string, number>;

  /** `rememberMs`: longer than a login can take, and than any token of the session lives. `nowMs` is monotonic. */
  constructor(rememberMs: number, nowMs: () => number) {
    const bounds = { max: MAX_REMEMBERED, ttl: rememberMs, ttlResolution: 0, perf: { now: nowMs } };
    this.#bySession = new LRUCache(bounds);
    this.#bySubject = new LRUCache(bounds);
  }

  add({ sessionId, subject }: EndedSession, issuedAt: number): void {
    // A subject beside a session only says whose it is.
    if (sessionId !== undefined) this.#bySession.set(sessionId, true);
    else if (subject !== undefined) this.#bySubject.set(subject, issuedAt);
  }

  /** Whether a login is of a session that is over. `issuedAt`: `iat` of its ID token. */
  has(login: { readonly sessionId: string | undefined; readonly subject: string; readonly issuedAt: number }): boolean {
    if (login.sessionId !== undefined && this.#bySession.has(login.sessionId)) return true;
    const endedAt = this.#bySubject.get(login.subject);
    return endedAt !== undefined && login.issuedAt <= endedAt;
  }
}

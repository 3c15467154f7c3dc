/** EndedSessions: remembers ended sessions, so that no concurrent operation revives an ended session. */
import { LRUCache } from 'lru-cache';

export interface EndedSession {
  readonly sessionId: string | undefined;
  readonly subject: string | undefined;
}

const MAX_REMEMBERED = 100_000;

export class EndedSessions {
  readonly #bySession: LRUCache<string, true>;
  /** Maps each subject to the time (epoch seconds) up to which all logins have ended. */
  readonly #bySubject: LRUCache<string, number>;

  /** `rememberMs` must exceed the duration of a login and every token lifetime. `nowMs` is monotonic. */
  constructor(rememberMs: number, nowMs: () => number) {
    const bounds = { max: MAX_REMEMBERED, ttl: rememberMs, ttlResolution: 0, perf: { now: nowMs } };
    this.#bySession = new LRUCache(bounds);
    this.#bySubject = new LRUCache(bounds);
  }

  add({ sessionId, subject }: EndedSession, issuedAt: number): void {
    if (sessionId !== undefined) this.#bySession.set(sessionId, true);
    // Notices may arrive out of order.
    else if (subject !== undefined) {
      this.#bySubject.set(subject, Math.max(issuedAt, this.#bySubject.get(subject) ?? issuedAt));
    }
  }

  has(login: { readonly sessionId: string | undefined; readonly subject: string; readonly issuedAt: number }): boolean {
    if (login.sessionId !== undefined && this.#bySession.has(login.sessionId)) return true;
    const endedAt = this.#bySubject.get(login.subject);
    return endedAt !== undefined && login.issuedAt <= endedAt;
  }
}

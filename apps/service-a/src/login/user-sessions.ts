/** UserSessions: begins, finds, refreshes and ends the sessions of users at Service A. */
import { createHash, randomBytes } from 'node:crypto';
import { EndedSessions, type EndedSession } from './ended-sessions.js';
import { LoginError } from './login-error.js';
import type { LoggedIn, OpenIdProvider } from './openid-provider.js';
import { SessionDoubts } from './session-doubts.js';
import type { SessionStore } from './session-store.js';
import type { UserSession } from './user-session.js';

export interface SessionLimits {
  readonly sessionIdleSeconds: number;
  readonly sessionMaxSeconds: number;
}

/** An access token is refreshed when it has no longer than this to live: the chain must be through by then. */
const REFRESH_BEFORE_MS = 10_000;

/** What ended is remembered for as long as a session can live, and a login can take. */
const MIN_REMEMBERED_SECONDS = 3600;

/** Bytes of an id, and of a CSRF token: not to be guessed. */
const RANDOM_BYTES = 32;

/** What the ids of one instance begin with, in base64url: 48 bits, so that no two instances have the same. */
const MARK_BYTES = 6;

export class UserSessions {
  readonly #refreshes = new Map<string, Promise<UserSession | undefined>>();
  readonly #ended: EndedSessions;
  readonly #doubts: SessionDoubts;
  readonly #mark = random(MARK_BYTES);

  constructor(
    private readonly store: SessionStore,
    private readonly provider: Pick<OpenIdProvider, 'refresh'>,
    private readonly limits: SessionLimits,
    /** Monotonic. */
    private readonly nowMs: () => number,
  ) {
    this.#ended = new EndedSessions(Math.max(limits.sessionMaxSeconds, MIN_REMEMBERED_SECONDS) * 1000, nowMs);
    this.#doubts = new SessionDoubts(nowMs);
  }

  /**
   * A session with an id of its own, never one that a browser brought. Throws `LoginError` when Keycloak ended the session
   * while its user was on the way back.
   */
  async begin(login: LoggedIn): Promise<string> {
    const id = this.#mark + random(RANDOM_BYTES - MARK_BYTES);
    const now = this.nowMs();
    const { subject, sessionId, username, tokens } = login;
    const session = { subject, sessionId, username, tokens, csrfToken: random(), startedAtMs: now, usedAtMs: now };
    await this.store.add(keyOf(id), session);
    // Looked at last: whatever was ended until now is seen, and whatever is ended later finds the session in the store.
    if (this.#ended.has(login)) {
      await this.end(id);
      throw new LoginError('login_refused', 'session_ended_meanwhile');
    }
    return id;
  }

  /** The session of this id, used now; undefined when there is none, or when its time is over. */
  async find(id: string | undefined): Promise<UserSession | undefined> {
    if (id === undefined) return undefined;
    const now = this.nowMs();
    return this.store.update(keyOf(id), (session) =>
      this.#isOver(session, now) ? undefined : { ...session, usedAtMs: now },
    );
  }

  /** As `find`; but a session that is doubted is refreshed first, with what `findFresh` says of that. */
  async findConfirmed(id: string | undefined): Promise<UserSession | undefined> {
    const session = await this.find(id);
    return session !== undefined && this.#isDoubted(session) ? this.findFresh(id) : session;
  }

  /**
   * The session with an access token that lasts a while; refreshed once, however many requests want it. Undefined when
   * Keycloak refuses that: the session is over then. Throws `AuthorizationServerError` when Keycloak can't be asked.
   */
  async findFresh(id: string | undefined): Promise<UserSession | undefined> {
    const session = await this.find(id);
    if (id === undefined || session === undefined) return undefined;
    if (!this.#isStale(session)) return session;
    const key = keyOf(id);
    const underWay = this.#refreshes.get(key);
    if (underWay === undefined) return this.#takeOff(key);
    const refreshed = await underWay;
    // It took off before the doubt was raised, and proves nothing.
    return refreshed !== undefined && this.#isDoubted(refreshed) ? this.findFresh(id) : refreshed;
  }

  /**
   * Whether a session of this id, when it is not found, is over. One that another instance began may go on there: nobody
   * may have a browser forget it because it is not known here.
   */
  isOurs(id: string): boolean {
    return id.startsWith(this.#mark);
  }

  async end(id: string): Promise<void> {
    await this.store.delete(keyOf(id));
  }

  /**
   * The one place that hears from Keycloak that a session is over. From now on no request finds it, no refresh brings it
   * back, and no login of it that is on its way begins one.
   */
  async endAtKeycloak(ended: EndedSession, issuedAt: number): Promise<void> {
    this.#ended.add(ended, issuedAt);
    const { sessionId, subject } = ended;
    await this.store.deleteWhere((session) =>
      sessionId === undefined ? session.subject === subject : session.sessionId === sessionId,
    );
  }

  /** Keycloak may have ended any session: each is refreshed before it serves again (`findFresh`, `findConfirmed`). */
  doubtAll(): void {
    this.#doubts.raise();
  }

  /** A refresh token may be good for one time: the second flight must not take off with the same one. */
  #takeOff(key: string): Promise<UserSession | undefined> {
    const flight = this.#refresh(key).finally(() => this.#refreshes.delete(key));
    this.#refreshes.set(key, flight);
    return flight;
  }

  async #refresh(key: string): Promise<UserSession | undefined> {
    const before = await this.store.update(key, (session) => session);
    // Another flight may have landed since this one was wanted.
    if (before === undefined || !this.#isStale(before)) return before;
    const answer = await this.provider.refresh(before.tokens, before.subject);
    return this.store.update(key, (session) => ('refused' in answer ? undefined : { ...session, ...answer }));
  }

  #isOver({ usedAtMs, startedAtMs }: UserSession, now: number): boolean {
    const { sessionIdleSeconds, sessionMaxSeconds } = this.limits;
    return now - usedAtMs >= sessionIdleSeconds * 1000 || now - startedAtMs >= sessionMaxSeconds * 1000;
  }

  #isStale(session: UserSession): boolean {
    return session.tokens.expiresAtMs - this.nowMs() <= REFRESH_BEFORE_MS || this.#isDoubted(session);
  }

  #isDoubted({ tokens }: UserSession): boolean {
    return this.#doubts.concern(tokens.askedAtMs);
  }
}

function random(bytes = RANDOM_BYTES): string {
  return randomBytes(bytes).toString('base64url');
}

/** A store never has an id that would open a session. */
function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}

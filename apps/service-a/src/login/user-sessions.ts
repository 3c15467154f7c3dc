/** UserSessions: starts, finds, refreshes and ends the sessions of users at Service A. */
import { createHash, randomBytes } from 'node:crypto';
import { EndedSessions, type EndedSession } from './ended-sessions.js';
import { LoginError } from './login-error.js';
import type { LoggedIn, OpenIdProvider } from './openid-provider.js';
import { SessionRechecks } from './session-rechecks.js';
import type { SessionStore } from './session-store.js';
import type { UserSession } from './user-session.js';

export interface SessionLimits {
  readonly sessionIdleSeconds: number;
  readonly sessionMaxSeconds: number;
}

/** An access token with less remaining lifetime is refreshed, so that it outlives a run of the chain. */
const MIN_REMAINING_LIFETIME_MS = 10_000;

/** Ended sessions are remembered at least this long, which is longer than a login takes. */
const MIN_REMEMBERED_SECONDS = 3600;

/** The length of a session id and of a CSRF token, so that neither can be guessed. */
const RANDOM_BYTES = 32;

/** Session ids begin with the id of their instance, in base64url. 48 bits keep instances distinct. */
const INSTANCE_ID_BYTES = 6;

export class UserSessions {
  readonly #refreshes = new Map<string, Promise<UserSession | undefined>>();
  readonly #ended: EndedSessions;
  readonly #rechecks: SessionRechecks;
  readonly #instanceId = random(INSTANCE_ID_BYTES);

  constructor(
    private readonly store: SessionStore,
    private readonly provider: Pick<OpenIdProvider, 'refresh'>,
    private readonly limits: SessionLimits,
    /** Monotonic. */
    private readonly nowMs: () => number,
  ) {
    this.#ended = new EndedSessions(Math.max(limits.sessionMaxSeconds, MIN_REMEMBERED_SECONDS) * 1000, nowMs);
    this.#rechecks = new SessionRechecks(nowMs);
  }

  /**
   * Starts a session with a new id, never one that a browser sent. Throws `LoginError` when Keycloak ended the session before its
   * user came back.
   */
  async begin(login: LoggedIn): Promise<string> {
    const id = this.#instanceId + random(RANDOM_BYTES - INSTANCE_ID_BYTES);
    const now = this.nowMs();
    const { subject, sessionId, username, tokens } = login;
    const session = { subject, sessionId, username, tokens, csrfToken: random(), startedAtMs: now, usedAtMs: now };
    await this.store.add(keyOf(id), session);
    // This check comes last: it sees every end until now, and every later end finds the session in the store.
    if (this.#ended.has(login)) {
      await this.end(id);
      throw new LoginError('login_refused', 'session_ended_meanwhile');
    }
    return id;
  }

  /** Returns the session with this id and marks it as used; undefined when there is none or it has expired. */
  async find(id: string | undefined): Promise<UserSession | undefined> {
    if (id === undefined) return undefined;
    const now = this.nowMs();
    return this.store.update(keyOf(id), (session) =>
      this.#hasExpired(session, now) ? undefined : { ...session, usedAtMs: now },
    );
  }

  /** Like `find`, but refreshes a session that must be rechecked, as `findFresh` does. */
  async findConfirmed(id: string | undefined): Promise<UserSession | undefined> {
    const session = await this.find(id);
    return session !== undefined && this.#needsRecheck(session) ? this.findFresh(id) : session;
  }

  /**
   * Returns the session with an access token that is valid for some time. Concurrent requests share one refresh. Returns undefined
   * when Keycloak refuses the refresh, since the session has then ended. Throws `AuthorizationServerError` when Keycloak is unavailable.
   */
  async findFresh(id: string | undefined): Promise<UserSession | undefined> {
    const session = await this.find(id);
    if (id === undefined || session === undefined) return undefined;
    if (!this.#isStale(session)) return session;
    const key = keyOf(id);
    const inFlight = this.#refreshes.get(key);
    if (inFlight === undefined) return this.#startRefresh(key);
    const refreshed = await inFlight;
    // A refresh that started before the recheck was required proves nothing.
    return refreshed !== undefined && this.#needsRecheck(refreshed) ? this.findFresh(id) : refreshed;
  }

  /**
   * Whether this instance issued the id; if so, a session that is not found has ended. A session of another instance may still be
   * live there, so its cookie must not be cleared here.
   */
  isFromThisInstance(id: string): boolean {
    return id.startsWith(this.#instanceId);
  }

  async end(id: string): Promise<void> {
    await this.store.delete(keyOf(id));
  }

  /**
   * Handles Keycloak's notice that a session has ended. From now on no request finds it, no refresh revives it, and no login in
   * progress starts a session for it.
   */
  async endAtKeycloak(ended: EndedSession, issuedAt: number): Promise<void> {
    this.#ended.add(ended, issuedAt);
    const { sessionId, subject } = ended;
    await this.store.deleteWhere((session) =>
      sessionId === undefined ? session.subject === subject : session.sessionId === sessionId,
    );
  }

  /** Keycloak may have ended any session, so each is refreshed before its next use (`findFresh`, `findConfirmed`). */
  recheckAll(): void {
    this.#rechecks.require();
  }

  /** A refresh token may be valid only once, so two refreshes must not run at the same time. */
  #startRefresh(key: string): Promise<UserSession | undefined> {
    const refresh = this.#refresh(key).finally(() => this.#refreshes.delete(key));
    this.#refreshes.set(key, refresh);
    return refresh;
  }

  async #refresh(key: string): Promise<UserSession | undefined> {
    const before = await this.store.update(key, (session) => session);
    // Another refresh may have completed in the meantime.
    if (before === undefined || !this.#isStale(before)) return before;
    const answer = await this.provider.refresh(before.tokens, before.subject);
    return this.store.update(key, (session) => ('refused' in answer ? undefined : { ...session, ...answer }));
  }

  #hasExpired({ usedAtMs, startedAtMs }: UserSession, now: number): boolean {
    const { sessionIdleSeconds, sessionMaxSeconds } = this.limits;
    return now - usedAtMs >= sessionIdleSeconds * 1000 || now - startedAtMs >= sessionMaxSeconds * 1000;
  }

  #isStale(session: UserSession): boolean {
    return session.tokens.expiresAtMs - this.nowMs() <= MIN_REMAINING_LIFETIME_MS || this.#needsRecheck(session);
  }

  #needsRecheck({ tokens }: UserSession): boolean {
    return this.#rechecks.areDueSince(tokens.askedAtMs);
  }
}

function random(bytes = RANDOM_BYTES): string {
  return randomBytes(bytes).toString('base64url');
}

/** The store holds only hashes, so no id that would open a session can leak from it. */
function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}

/** UserSessions: starts, finds, refreshes and ends the sessions of users at Service A. */
import { createHash, randomBytes } from 'node:crypto';
import type { EndedSession } from './ended-sessions.js';
import { LoginError } from './login-error.js';
import type { LoggedIn, OpenIdProvider } from './openid-provider.js';
import { SessionRefreshes } from './session-refreshes.js';
import type { SessionStore } from './session-store.js';
import type { UserSession } from './user-session.js';

export interface SessionLimits {
  readonly sessionIdleSeconds: number;
  readonly sessionMaxSeconds: number;
}

/** A use is noted once in so long, so that requests of one page cost a shared store one change. */
const MAX_USE_NOT_NOTED_MS = 1000;

/** Another replica's clock may have been ahead by this much when it noted a time. */
const CLOCK_TOLERANCE_MS = 60_000;

/** Longer than it takes to come back to the page that demanded a login. */
const STEP_UP_IS_FRESH_MS = 60_000;

/** The length of a session id and of a CSRF token, so that neither can be guessed. */
const RANDOM_BYTES = 32;

/** Session ids begin with the id of their instance, in base64url. 48 bits keep instances distinct. */
const INSTANCE_ID_BYTES = 6;

/** Each method throws `SessionStoreError` where the store can't be asked. */
export class UserSessions {
  readonly #refreshes: SessionRefreshes;
  readonly #instanceId = random(INSTANCE_ID_BYTES);

  constructor(
    private readonly store: SessionStore,
    provider: Pick<OpenIdProvider, 'ready' | 'refresh'>,
    private readonly limits: SessionLimits,
  ) {
    this.#refreshes = new SessionRefreshes(store, provider);
  }

  /**
   * Starts a session with a new id, never one that a browser sent. Throws `LoginError` when Keycloak ended the session before its
   * user came back. `isStepUp`: whether a route had demanded this login.
   */
  async begin(login: LoggedIn, isStepUp = false): Promise<string> {
    const id = this.#instanceId + random(RANDOM_BYTES - INSTANCE_ID_BYTES);
    const { clock } = this.store;
    const now = clock.nowMs();
    const { subject, sessionId, username, issuedAt, authentication } = login;
    const session: UserSession = {
      subject,
      sessionId,
      username,
      authentication,
      tokens: login.tokens.withTimes((ms) => clock.fromMonotonicMs(ms)),
      csrfToken: random(),
      startedAtMs: now,
      usedAtMs: now,
      ...(isStepUp ? { steppedUpAtMs: now } : {}),
      generation: 0,
    };
    if (await this.store.add(keyOf(id), session, issuedAt)) return id;
    throw new LoginError('login_refused', 'session_ended_meanwhile');
  }

  /** Returns the session with this id and marks it as used; undefined when there is none or it has expired. */
  async find(id: string | undefined): Promise<UserSession | undefined> {
    if (id === undefined) return undefined;
    return this.store.update(keyOf(id), (session) => {
      const now = this.store.clock.nowMs();
      if (this.#hasExpired(session)) return undefined;
      return now - session.usedAtMs < this.#notNotedMs ? session : { ...session, usedAtMs: now };
    });
  }

  /**
   * Returns the session with an access token that is valid for some time. Concurrent requests share one refresh. Returns undefined
   * when Keycloak refuses the refresh, since the session has then ended. Throws `AuthorizationServerError` when Keycloak is unavailable.
   */
  async findFresh(id: string | undefined): Promise<UserSession | undefined> {
    const session = await this.find(id);
    return id === undefined || session === undefined ? undefined : this.#refreshes.freshened(keyOf(id), session);
  }

  /**
   * Whether this instance would know a session with this id if there were one; if so, one that is not found has ended. Without a
   * shared store, a session of another instance may still be live there, so its cookie must not be cleared here.
   */
  wouldKnow(id: string): boolean {
    return this.store.isShared || id.startsWith(this.#instanceId);
  }

  /** Whether its user logged in for a route a moment ago, so that another login would hardly help. */
  hasJustSteppedUp({ steppedUpAtMs }: UserSession): boolean {
    return steppedUpAtMs !== undefined && this.store.clock.latestMs() - steppedUpAtMs < STEP_UP_IS_FRESH_MS;
  }

  async end(id: string): Promise<void> {
    await this.store.delete(keyOf(id));
  }

  /**
   * Handles Keycloak's notice that a session has ended. From now on no request finds it, no refresh revives it, and no login in
   * progress starts a session for it.
   */
  async endAtKeycloak(ended: EndedSession, issuedAt: number): Promise<void> {
    await this.store.end(ended, issuedAt);
  }

  /** Keycloak may have ended any session, so each is refreshed before its next use (`findFresh`). */
  async recheckAll(): Promise<void> {
    await this.store.requireRecheck();
  }

  /** Nest calls it. Refreshes in flight end first: what they bring is nowhere else. */
  async onApplicationShutdown(): Promise<void> {
    await this.#refreshes.settled();
    await this.store.close();
  }

  #hasExpired({ usedAtMs, startedAtMs }: UserSession): boolean {
    const latest = this.store.clock.latestMs();
    const { sessionIdleSeconds, sessionMaxSeconds } = this.limits;
    if (usedAtMs - latest > CLOCK_TOLERANCE_MS || startedAtMs - latest > CLOCK_TOLERANCE_MS) return true;
    return latest - usedAtMs >= sessionIdleSeconds * 1000 || latest - startedAtMs >= sessionMaxSeconds * 1000;
  }

  /** A part of the idle time, so that a session in use does not end. */
  get #notNotedMs(): number {
    if (!this.store.isShared) return 0;
    return Math.min(MAX_USE_NOT_NOTED_MS, this.limits.sessionIdleSeconds * 100);
  }
}

function random(bytes = RANDOM_BYTES): string {
  return randomBytes(bytes).toString('base64url');
}

/** The store holds only hashes, so no id that would open a session can leak from it. */
function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}

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

/** A use is stored at most once per interval, so that the requests of one page write to a shared store once. */
const MAX_USE_NOT_NOTED_MS = 1000;

/** Another replica's clock may have been ahead by this much when it stored a time. */
const CLOCK_TOLERANCE_MS = 60_000;

/** Longer than a browser takes to return to the page that required the login. */
const STEP_UP_IS_FRESH_MS = 60_000;

const RANDOM_BYTES = 32;

/** Session ids begin with the id of their instance, in base64url. */
const INSTANCE_ID_BYTES = 6;

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

  /** Never uses an id that a browser sent. */
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

  /** Also marks the session as used. */
  async find(id: string | undefined): Promise<UserSession | undefined> {
    if (id === undefined) return undefined;
    return this.store.update(keyOf(id), (session) => {
      const now = this.store.clock.nowMs();
      if (this.#hasExpired(session)) return undefined;
      return now - session.usedAtMs < this.#notNotedMs ? session : { ...session, usedAtMs: now };
    });
  }

  /** Returns undefined if Keycloak refuses the refresh, which ends the session. */
  async findFresh(id: string | undefined): Promise<UserSession | undefined> {
    const session = await this.find(id);
    return id === undefined || session === undefined ? undefined : this.#refreshes.freshened(keyOf(id), session);
  }

  /** Returns false for a session of another instance without a shared store: its cookie must not be cleared here. */
  wouldKnow(id: string): boolean {
    return this.store.isShared || id.startsWith(this.#instanceId);
  }

  /** Whether the user has just logged in for a route, so that another login is unlikely to help. */
  hasJustSteppedUp({ steppedUpAtMs }: UserSession): boolean {
    return steppedUpAtMs !== undefined && this.store.clock.latestMs() - steppedUpAtMs < STEP_UP_IS_FRESH_MS;
  }

  async end(id: string): Promise<void> {
    await this.store.delete(keyOf(id));
  }

  /**
   * Afterwards, requests do not find the session, refreshes do not revive it, and pending logins do not start it again.
   */
  async endAtKeycloak(ended: EndedSession, issuedAt: number): Promise<void> {
    await this.store.end(ended, issuedAt);
  }

  /**
   * Requires a refresh of every session before its next use (`findFresh`), since Keycloak may have ended any session.
   */
  async recheckAll(): Promise<void> {
    await this.store.requireRecheck();
  }

  /** Waits for refreshes in flight, since their tokens exist nowhere else. */
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

  /** A fraction of the idle time, so that a session in use does not expire. */
  get #notNotedMs(): number {
    if (!this.store.isShared) return 0;
    return Math.min(MAX_USE_NOT_NOTED_MS, this.limits.sessionIdleSeconds * 100);
  }
}

function random(bytes = RANDOM_BYTES): string {
  return randomBytes(bytes).toString('base64url');
}

/** The store holds only hashes, so that no usable session id can leak from it. */
function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}

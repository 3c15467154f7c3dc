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

/** The requests of one page fall into this interval and cause only one write to the store. */
const MAX_USE_NOT_NOTED_MS = 1000;

/** A stored time may be ahead by this tolerance, since the clocks of replicas differ. */
const CLOCK_TOLERANCE_MS = 60_000;

/** After a step-up, the browser returns to the refused page within this time. */
const STEP_UP_IS_FRESH_MS = 60_000;

const RANDOM_BYTES = 32;

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

  /** Starts a session with a new id, which never comes from a browser. */
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

  async find(id: string | undefined): Promise<UserSession | undefined> {
    if (id === undefined) return undefined;
    return this.store.update(keyOf(id), (session) => {
      const now = this.store.clock.nowMs();
      if (this.#hasExpired(session)) return undefined;
      return now - session.usedAtMs < this.#notNotedMs ? session : { ...session, usedAtMs: now };
    });
  }

  /** If Keycloak refuses a due refresh, the session ends and the method returns undefined. */
  async findFresh(id: string | undefined): Promise<UserSession | undefined> {
    const session = await this.find(id);
    return id === undefined || session === undefined ? undefined : this.#refreshes.freshened(keyOf(id), session);
  }

  /**
   * Without a shared store, returns false for a session of another instance, so that this instance keeps the session
   * cookie.
   */
  wouldKnow(id: string): boolean {
    return this.store.isShared || id.startsWith(this.#instanceId);
  }

  hasJustSteppedUp({ steppedUpAtMs }: UserSession): boolean {
    return steppedUpAtMs !== undefined && this.store.clock.latestMs() - steppedUpAtMs < STEP_UP_IS_FRESH_MS;
  }

  async end(id: string): Promise<void> {
    await this.store.delete(keyOf(id));
  }

  async endAtKeycloak(ended: EndedSession, issuedAt: number): Promise<void> {
    await this.store.end(ended, issuedAt);
  }

  /**
   * Requires a refresh before the next use of each session, since Keycloak may have ended the session. A session whose
   * refresh got no answer is used without one until its access token expires.
   */
  async recheckAll(): Promise<void> {
    await this.store.requireRecheck();
  }

  /** Waits for pending refreshes, since an earlier end of the process would lose the new tokens. */
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

  /** With a longer interval, a session could expire although the user uses the session. */
  get #notNotedMs(): number {
    if (!this.store.isShared) return 0;
    return Math.min(MAX_USE_NOT_NOTED_MS, this.limits.sessionIdleSeconds * 100);
  }
}

function random(bytes = RANDOM_BYTES): string {
  return randomBytes(bytes).toString('base64url');
}

/** Only hashes are stored, so that no usable session id can leak. */
function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}

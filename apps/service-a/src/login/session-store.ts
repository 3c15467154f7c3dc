import type { EndedSession } from './ended-sessions.js';
import type { UserSession } from './user-session.js';

/** All times in sessions come from this clock, because the clocks of processes differ. */
export interface SessionClock {
  nowMs(): number;
  /** If two clocks differ, the later time counts. */
  latestMs(): number;
  fromMonotonicMs(ms: number): number;
}

/** Each method throws `SessionStoreError` if the store is unavailable. */
export interface SessionStore {
  /** If a store is shared, no replica may repeat another replica's operation. */
  readonly isShared: boolean;
  readonly clock: SessionClock;
  /**
   * Returns false and adds no session if the session has already ended. `issuedAt` is `iat` of the login's ID token, in
   * seconds on Keycloak's clock.
   */
  add(key: string, session: UserSession, issuedAt: number): Promise<boolean>;
  /**
   * Replaces the session atomically, so that no change is lost and no deleted session is revived. If another call has
   * changed the session in the meantime, the store calls `change` again. `change` may return the unchanged session, or
   * undefined to delete the session.
   */
  update(key: string, change: (session: UserSession) => UserSession | undefined): Promise<UserSession | undefined>;
  delete(key: string): Promise<void>;
  /** Ends sessions and remembers them, so that a login in progress can't add an ended session later. */
  end(ended: EndedSession, issuedAt: number): Promise<void>;
  requireRecheck(): Promise<void>;
  /** Whether the store's last answer requires a recheck of a session that Keycloak confirmed at `askedAtMs`. */
  needsRecheck(askedAtMs: number): boolean;
  /** Returns true only for the first call with this `state` within `ttlSeconds`. */
  takeLogin(state: string, ttlSeconds: number): Promise<boolean>;
  close(): Promise<void>;
}

export interface StoreBounds {
  readonly maxSessions: number;
  /** Without this limit, one user could evict all other sessions by repeated logins. */
  readonly maxSessionsPerUser: number;
  readonly sessionIdleSeconds: number;
  readonly sessionMaxSeconds: number;
}

const MIN_REMEMBERED_SECONDS = 3600;

/** Exceeds the duration of a login and the lifetime of each token. */
export const rememberedMs = ({ sessionMaxSeconds }: StoreBounds): number =>
  Math.max(sessionMaxSeconds, MIN_REMEMBERED_SECONDS) * 1000;

import type { EndedSession } from './ended-sessions.js';
import type { UserSession } from './user-session.js';

/** The times in sessions are on the store's clock, in ms, since the clocks of processes differ. */
export interface SessionClock {
  nowMs(): number;
  /** The later time if two clocks differ, for computing an age. */
  latestMs(): number;
  fromMonotonicMs(ms: number): number;
}

/** Each method throws `SessionStoreError` if the store is unavailable. */
export interface SessionStore {
  /** Whether all replicas use this store, so that a replica must not repeat an operation of another replica. */
  readonly isShared: boolean;
  readonly clock: SessionClock;
  /**
   * Returns false, without adding the session, if the session has already ended. `issuedAt` is `iat` of the login's ID
   * token, in seconds on Keycloak's clock.
   */
  add(key: string, session: UserSession, issuedAt: number): Promise<boolean>;
  /**
   * Replaces the session atomically, so that no concurrent change is lost and no deleted session is revived. `change`
   * is called again after a concurrent change, and may return its argument. If `change` returns undefined, the session
   * is deleted.
   */
  update(key: string, change: (session: UserSession) => UserSession | undefined): Promise<UserSession | undefined>;
  delete(key: string): Promise<void>;
  /** Deletes the sessions, and remembers their end so that none of them is added later. */
  end(ended: EndedSession, issuedAt: number): Promise<void>;
  requireRecheck(): Promise<void>;
  /**
   * Whether a session that Keycloak last confirmed at `askedAtMs` must be confirmed again, according to the store's
   * last answer.
   */
  needsRecheck(askedAtMs: number): boolean;
  /** True only for the first call with this state within `ttlSeconds`. */
  takeLogin(state: string, ttlSeconds: number): Promise<boolean>;
  close(): Promise<void>;
}

export interface StoreBounds {
  readonly maxSessions: number;
  /** Without a limit per user, one user could evict the sessions of all other users by logging in repeatedly. */
  readonly maxSessionsPerUser: number;
  readonly sessionIdleSeconds: number;
  readonly sessionMaxSeconds: number;
}

const MIN_REMEMBERED_SECONDS = 3600;

/** Longer than a login takes, and longer than each token of the session lives. */
export const rememberedMs = ({ sessionMaxSeconds }: StoreBounds): number =>
  Math.max(sessionMaxSeconds, MIN_REMEMBERED_SECONDS) * 1000;

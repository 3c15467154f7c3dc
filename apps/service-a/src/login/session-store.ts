/** SessionStore: where sessions are kept, by the hash of their id; all replicas of Service A may share one. */
import type { EndedSession } from './ended-sessions.js';
import type { UserSession } from './user-session.js';

/** The times in sessions are those of the store: what one process calls now means nothing to another. In ms. */
export interface SessionClock {
  /** For what is written. */
  nowMs(): number;
  /** For judging how old something is: the later one where two clocks differ. */
  latestMs(): number;
  /** What a time on this process' monotonic clock is on the clock of the store. */
  fromMonotonicMs(ms: number): number;
}

/** Each method throws `SessionStoreError` where the store can't be asked: then nothing is known of any session. */
export interface SessionStore {
  /**
   * Whether all replicas use it. If so, it alone knows which sessions there are; and what one replica has begun another one must
   * not do again.
   */
  readonly isShared: boolean;
  readonly clock: SessionClock;
  /** `issuedAt`: `iat` of the login's ID token. False, and nothing is added, when the session had been ended before. */
  add(key: string, session: UserSession, issuedAt: number): Promise<boolean>;
  /**
   * Replaces a session by the result of `change`, atomically: no concurrent change is lost, and a deleted session is not revived.
   * `change` is called again where another change came first, and may return what it was given. Returns undefined when there is
   * no session. When `change` returns undefined, the session is deleted.
   */
  update(key: string, change: (session: UserSession) => UserSession | undefined): Promise<UserSession | undefined>;
  delete(key: string): Promise<void>;
  /** Deletes the sessions, and remembers that they ended: none of them is added any more. */
  end(ended: EndedSession, issuedAt: number): Promise<void>;
  /** Keycloak may have ended any session. */
  requireRecheck(): Promise<void>;
  /** Whether a session that Keycloak last confirmed at `askedAtMs` must be confirmed again; as of the last answer of the store. */
  needsRecheck(askedAtMs: number): boolean;
  /** True for the first caller within `ttlSeconds` who takes the login with this state, and for no other. */
  takeLogin(state: string, ttlSeconds: number): Promise<boolean>;
  close(): Promise<void>;
}

export interface StoreBounds {
  readonly maxSessions: number;
  /** Without a limit per user, one user could evict all others by logging in repeatedly. */
  readonly maxSessionsPerUser: number;
  readonly sessionIdleSeconds: number;
  readonly sessionMaxSeconds: number;
}

/** Ended sessions are remembered at least this long, which is longer than a login takes. */
const MIN_REMEMBERED_SECONDS = 3600;

/** For how long the end of a session is remembered: longer than a login takes, and than each token of the session lives. */
export const rememberedMs = ({ sessionMaxSeconds }: StoreBounds): number =>
  Math.max(sessionMaxSeconds, MIN_REMEMBERED_SECONDS) * 1000;

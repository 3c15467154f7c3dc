/** LoginFailures: after too many wrong passwords a user must wait, or is disabled, and until then every password is refused. */
import type { AdjustableClock } from './adjustable-clock.js';
import type { RealmUser } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';

interface Failures {
  count: number;
  lastMs: number;
  /** The second before which the user can't log in. */
  notBefore: number;
}

/** Keycloak's names, as in the event of a failed login. */
export type LoginError = 'user_not_found' | 'invalid_user_credentials' | 'user_temporarily_disabled' | 'user_disabled';

/** That a failure was one too many. */
export interface Lockout {
  readonly failures: number;
  /** The second until which the user must wait; undefined for one who is disabled until an administrator enables it. */
  readonly untilSeconds: number | undefined;
}

/** Who logs in, or why not. A caller must not show which of the reasons it is. */
export type LoginAttempt =
  | { readonly user: RealmUser; readonly error?: undefined }
  | { readonly user: RealmUser | undefined; readonly error: LoginError; readonly lockout?: Lockout | undefined };

/** The attribute by which Keycloak marks a user that is locked out until an administrator enables it. */
const REASON = 'disabledReason';
const LOCKED_OUT = 'permanentLockout';

/**
 * Keycloak's brute-force protection with the realm's settings: the strategy `MULTIPLE`, per user and not per address. It never
 * refuses a login because another one of the same user is in progress.
 */
export class LoginFailures {
  private readonly failuresOf = new Map<RealmUser, Failures>();

  constructor(
    private readonly realm: Realm,
    private readonly clock: AdjustableClock,
  ) {}

  /** Counts a wrong password. Does not look at whether the user is enabled, unless too many of them have disabled it. */
  attempt(user: RealmUser | undefined, password: string | undefined): LoginAttempt {
    if (user === undefined) return { user, error: 'user_not_found' };
    if (!user.enabled && isLockedOut(user)) return { user, error: 'user_disabled' };
    if (this.mustWait(user)) return { user, error: 'user_temporarily_disabled' };
    if (user.password !== undefined && user.password === password) {
      this.failuresOf.delete(user);
      return { user };
    }
    return { user, error: 'invalid_user_credentials', lockout: this.count(user) };
  }

  /** For a user that an administrator enables. Returns whether it was locked out until then. */
  release(user: RealmUser): boolean {
    if (!isLockedOut(user)) return false;
    const { [REASON]: _, ...attributes } = user.attributes;
    user.attributes = attributes;
    this.failuresOf.delete(user);
    return true;
  }

  private mustWait(user: RealmUser): boolean {
    return this.clock.now() < (this.failuresOf.get(user)?.notBefore ?? 0);
  }

  private count(user: RealmUser): Lockout | undefined {
    const { settings } = this.realm;
    if (!settings.bruteForceProtected || user.password === undefined) return undefined;
    const nowMs = this.clock.nowMs();
    const before = this.failuresOf.get(user);
    const sinceLastMs = before === undefined ? 0 : nowMs - before.lastMs;
    const isLongAgo = sinceLastMs > settings.maxDeltaTimeSeconds * 1000;
    const count = (isLongAgo ? 0 : (before?.count ?? 0)) + 1;
    if (settings.permanentLockout && count >= settings.failureFactor) {
      user.enabled = false;
      user.attributes = { ...user.attributes, [REASON]: LOCKED_OUT };
      return { failures: count, untilSeconds: undefined };
    }
    const isQuick = sinceLastMs > 0 && sinceLastMs < settings.quickLoginCheckMilliSeconds;
    const countWait = settings.waitIncrementSeconds * Math.floor(count / settings.failureFactor);
    const quickWait = isQuick ? settings.minimumQuickLoginWaitSeconds : 0;
    const wait = Math.min(countWait === 0 ? quickWait : countWait, settings.maxFailureWaitSeconds);
    const untilSeconds = Math.floor(nowMs / 1000) + wait;
    const notBefore = wait > 0 ? untilSeconds : (before?.notBefore ?? 0);
    this.failuresOf.set(user, { count, lastMs: nowMs, notBefore });
    return wait > 0 ? { failures: count, untilSeconds } : undefined;
  }
}

const isLockedOut = ({ attributes }: RealmUser): boolean => attributes[REASON] === LOCKED_OUT;

import type { AdjustableClock } from './adjustable-clock.js';
import type { RealmUser } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';

interface Failures {
  count: number;
  lastMs: number;
  notBefore: number;
}

export type LoginError = 'user_not_found' | 'invalid_user_credentials' | 'user_temporarily_disabled' | 'user_disabled';

export interface Lockout {
  readonly failures: number;
  readonly untilSeconds: number | undefined;
}

/** An answer to the user must not reveal the kind of error. */
export type LoginAttempt =
  | { readonly user: RealmUser; readonly error?: undefined }
  | { readonly user: RealmUser | undefined; readonly error: LoginError; readonly lockout?: Lockout | undefined };

const REASON = 'disabledReason';
const LOCKED_OUT = 'permanentLockout';

/**
 * Counts failed logins of a user from any address, by Keycloak's strategy `MULTIPLE`. Concurrent logins of a user are
 * permitted.
 */
export class LoginFailures {
  private readonly failuresOf = new Map<RealmUser, Failures>();

  constructor(
    private readonly realm: Realm,
    private readonly clock: AdjustableClock,
  ) {}

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

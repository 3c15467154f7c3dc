/** LoginFailures: after too many wrong passwords a user must wait, and until then every password is refused. */
import type { AdjustableClock } from '../adjustable-clock.js';
import type { RealmUser } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';

interface Failures {
  count: number;
  lastMs: number;
  /** The second before which the user can't log in. */
  notBefore: number;
}

/**
 * Keycloak's brute-force protection with the realm's settings: the strategy `MULTIPLE`, per user and not per address. It does
 * *not* lock a user permanently (`permanentLockout`), and never refuses a login because another one of the same user is in
 * progress.
 */
export class LoginFailures {
  private readonly failuresOf = new Map<RealmUser, Failures>();

  constructor(
    private readonly realm: Realm,
    private readonly clock: AdjustableClock,
  ) {}

  /** Whether the password is correct and the user need not wait. The caller can't tell which of the two failed. */
  accept(user: RealmUser | undefined, password: string | undefined): user is RealmUser {
    if (user?.password === undefined || this.mustWait(user)) return false;
    const isRight = user.password === password;
    if (isRight) this.failuresOf.delete(user);
    else this.count(user);
    return isRight;
  }

  private mustWait(user: RealmUser): boolean {
    return this.clock.now() < (this.failuresOf.get(user)?.notBefore ?? 0);
  }

  private count(user: RealmUser): void {
    const { settings } = this.realm;
    if (!settings.bruteForceProtected) return;
    const nowMs = this.clock.nowMs();
    const before = this.failuresOf.get(user);
    const sinceLastMs = before === undefined ? 0 : nowMs - before.lastMs;
    const isLongAgo = sinceLastMs > settings.maxDeltaTimeSeconds * 1000;
    const count = (isLongAgo ? 0 : (before?.count ?? 0)) + 1;
    const isQuick = sinceLastMs > 0 && sinceLastMs < settings.quickLoginCheckMilliSeconds;
    const countWait = settings.waitIncrementSeconds * Math.floor(count / settings.failureFactor);
    const quickWait = isQuick ? settings.minimumQuickLoginWaitSeconds : 0;
    const wait = Math.min(countWait === 0 ? quickWait : countWait, settings.maxFailureWaitSeconds);
    this.failuresOf.set(user, {
      count,
      lastMs: nowMs,
      notBefore: wait > 0 ? Math.floor(nowMs / 1000) + wait : (before?.notBefore ?? 0),
    });
  }
}

/** Login failures: who guessed too often must wait, and until then no password is the right one. */
import type { AdjustableClock } from '../adjustable-clock.js';
import type { RealmUser } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';

interface Failures {
  count: number;
  lastMs: number;
  /** A second: before it the user can't log in. */
  notBefore: number;
}

/**
 * Keycloak's brute-force protection, by the realm's settings: the strategy `MULTIPLE`, for a user and not for an address. It
 * does *not* lock anybody for good (`permanentLockout`), and never refuses a login because the same user has another under way.
 */
export class LoginFailures {
  private readonly failuresOf = new Map<RealmUser, Failures>();

  constructor(
    private readonly realm: Realm,
    private readonly clock: AdjustableClock,
  ) {}

  /** Whether this is the user's password, and neither guessed too often: nobody is told which of the two it was. */
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
    const forMany = settings.waitIncrementSeconds * Math.floor(count / settings.failureFactor);
    const forHaste = isQuick ? settings.minimumQuickLoginWaitSeconds : 0;
    const wait = Math.min(forMany === 0 ? forHaste : forMany, settings.maxFailureWaitSeconds);
    this.failuresOf.set(user, {
      count,
      lastMs: nowMs,
      notBefore: wait > 0 ? Math.floor(nowMs / 1000) + wait : (before?.notBefore ?? 0),
    });
  }
}

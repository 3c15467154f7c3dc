/** As long as the default introspection TTL, and longer than a logout at Keycloak takes. */
const INTERVAL_MS = 10_000;

/** The last recheck of a series is due within two intervals; the rest is a tolerance for different clocks. */
const MAX_AHEAD_MS = 2 * INTERVAL_MS + 60_000;

/** If the clock of the store is behind a recheck by more than this, the clock was set back. */
const STEP_MS = 1000;

export interface RecheckTimes {
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * If Keycloak's keys are unavailable, a logout token can't be verified: it may have ended any session, and Keycloak
 * does not repeat the token. Every session is rechecked at once, and again ten seconds later, since Keycloak reports a
 * session as active until its logout is complete.
 *
 * Anyone can send such tokens. Each session is therefore rechecked at most once in ten seconds, which is how often its
 * tokens are introspected anyway.
 */
export class SessionRechecks {
  #times: RecheckTimes | undefined;

  constructor(private readonly nowMs: () => number) {}

  get times(): RecheckTimes | undefined {
    return this.#times;
  }

  require(): void {
    const now = this.nowMs();
    const before = this.#timesBy(now);
    const firstMs = before === undefined || now >= before.lastMs + INTERVAL_MS ? now : before.firstMs;
    const lastMs = firstMs + Math.ceil((now + INTERVAL_MS - firstMs) / INTERVAL_MS) * INTERVAL_MS;
    this.#times = { firstMs, lastMs };
  }

  /** Ignores times far in the future, since the clock that produced them was wrong. */
  learn(times: RecheckTimes): void {
    if (times.lastMs > this.nowMs() + MAX_AHEAD_MS) return;
    if (this.#times === undefined || times.lastMs > this.#times.lastMs) this.#times = times;
  }

  areDueSince(askedAtMs: number): boolean {
    const now = this.nowMs();
    const times = this.#timesBy(now);
    if (times === undefined) return false;
    const { firstMs, lastMs } = times;
    const sinceFirst = Math.max(0, Math.min(now, lastMs) - firstMs);
    return askedAtMs <= firstMs + Math.floor(sinceFirst / INTERVAL_MS) * INTERVAL_MS;
  }

  /**
   * If the clock went back, earlier rechecks become due now. Otherwise each use of a session would call Keycloak until
   * the clock reaches its former time again.
   */
  #timesBy(now: number): RecheckTimes | undefined {
    const times = this.#times;
    if (times === undefined || times.firstMs <= now + STEP_MS) return times;
    return (this.#times = { firstMs: now, lastMs: now + times.lastMs - times.firstMs });
  }
}

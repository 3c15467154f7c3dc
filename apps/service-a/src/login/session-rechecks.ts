/** Equals the default introspection TTL and exceeds the duration of a logout at Keycloak. */
const INTERVAL_MS = 10_000;

/** The maximum distance of a recheck from now: two intervals, plus a tolerance for clocks that differ. */
const MAX_AHEAD_MS = 2 * INTERVAL_MS + 60_000;

/** If the time of a recheck exceeds the store's time by more than `STEP_MS`, the clock was set back. */
const STEP_MS = 1000;

export interface RecheckTimes {
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * If Keycloak's keys are unavailable, the service can't verify a logout token. The token may have ended any session,
 * and Keycloak does not repeat the token, so the service rechecks every session immediately. Ten seconds later, the
 * service rechecks every session again, since Keycloak reports a session as active until the logout is complete.
 *
 * Anyone can send a token that can't be verified, so the service rechecks each session at most once in ten seconds. In
 * normal operation, the service also introspects the tokens of a session at most once in ten seconds.
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

  /** Ignores times far in the future, since the clock that produced these times was wrong. */
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
   * If the clock was set back, the rechecks become due now. Without this correction, each use of a session would call
   * Keycloak until the clock reaches the former time.
   */
  #timesBy(now: number): RecheckTimes | undefined {
    const times = this.#times;
    if (times === undefined || times.firstMs <= now + STEP_MS) return times;
    return (this.#times = { firstMs: now, lastMs: now + times.lastMs - times.firstMs });
  }
}

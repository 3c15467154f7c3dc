/** As long as the default introspection TTL, and longer than a logout at Keycloak takes. */
const INTERVAL_MS = 10_000;

/** The last recheck of a series is due within two intervals, and clocks may differ. */
const MAX_AHEAD_MS = 2 * INTERVAL_MS + 60_000;

/** The clock of the store was set back if it is behind a recheck by more than this. */
const STEP_MS = 1000;

export interface RecheckTimes {
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * A logout token that can't be verified, because Keycloak's keys are unavailable, may have ended any session, and
 * Keycloak does not repeat it. So every session is rechecked at once, and again when the logout must be complete at
 * Keycloak, which reports the session as active until then.
 *
 * Anyone can send such tokens. Yet no session is rechecked more than once in ten seconds, and its tokens are
 * introspected as often anyway.
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

  /** Ignores times far in the future: that clock was wrong. */
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
   * If the clock went back, earlier rechecks become due now. Otherwise each use of a session would ask Keycloak until
   * the former time is reached again.
   */
  #timesBy(now: number): RecheckTimes | undefined {
    const times = this.#times;
    if (times === undefined || times.firstMs <= now + STEP_MS) return times;
    return (this.#times = { firstMs: now, lastMs: now + times.lastMs - times.firstMs });
  }
}

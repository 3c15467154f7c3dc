/** This interval equals the default introspection TTL, and is longer than the duration of a logout at Keycloak. */
const INTERVAL_MS = 10_000;

/** The maximum distance of a recheck from now, with a tolerance for different clocks. */
const MAX_AHEAD_MS = 2 * INTERVAL_MS + 60_000;

const STEP_MS = 1000;

export interface RecheckTimes {
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * If Keycloak's keys are unavailable, the service can't verify a logout token. Keycloak does not repeat the logout
 * token, so the service rechecks every session immediately. A second recheck follows after ten seconds, since Keycloak
 * still reports a session as active during the logout.
 *
 * Anyone can send logout tokens, so each session is rechecked at most once in ten seconds.
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

  /** Ignores times far in the future, since a wrong clock produced these times. */
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
   * If the clock was set back (by more than `STEP_MS`), the rechecks become due now. If a recheck stayed in the future,
   * each use of a session would call Keycloak until the time of the recheck.
   */
  #timesBy(now: number): RecheckTimes | undefined {
    const times = this.#times;
    if (times === undefined || times.firstMs <= now + STEP_MS) return times;
    return (this.#times = { firstMs: now, lastMs: now + times.lastMs - times.firstMs });
  }
}

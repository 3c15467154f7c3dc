/** SessionRechecks: decides which sessions Keycloak must confirm again after a logout token that could not be verified. */

/** As long as the default introspection TTL, and longer than a logout at Keycloak takes. */
const INTERVAL_MS = 10_000;

/** The last recheck of a row is due within two intervals; and clocks may differ. */
const MAX_AHEAD_MS = 2 * INTERVAL_MS + 60_000;

/** The clock of the store was set back where it is behind a recheck by more. */
const STEP_MS = 1000;

/** When the first and the last recheck of a row are due. */
export interface RecheckTimes {
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * A logout token that can't be verified, because Keycloak's keys are unavailable, may have ended any session, and Keycloak sends it
 * once. So every session is rechecked: at once, and again after the logout must be complete at Keycloak, which still reports the
 * session as active until then. Anyone can send such tokens. Yet no session is rechecked more often than once in ten seconds,
 * which is how often its tokens are introspected anyway.
 */
export class SessionRechecks {
  #times: RecheckTimes | undefined;

  constructor(private readonly nowMs: () => number) {}

  /** Undefined until one is required. */
  get times(): RecheckTimes | undefined {
    return this.#times;
  }

  /** Requires all sessions to be rechecked. */
  require(): void {
    const now = this.nowMs();
    const before = this.#timesBy(now);
    const firstMs = before === undefined || now >= before.lastMs + INTERVAL_MS ? now : before.firstMs;
    const lastMs = firstMs + Math.ceil((now + INTERVAL_MS - firstMs) / INTERVAL_MS) * INTERVAL_MS;
    this.#times = { firstMs, lastMs };
  }

  /** What another replica required; the later one counts. What its clock was far ahead for is of no use. */
  learn(times: RecheckTimes): void {
    if (times.lastMs > this.nowMs() + MAX_AHEAD_MS) return;
    if (this.#times === undefined || times.lastMs > this.#times.lastMs) this.#times = times;
  }

  /** Whether a session that Keycloak last confirmed at `askedAtMs` must be rechecked. */
  areDueSince(askedAtMs: number): boolean {
    const now = this.nowMs();
    const times = this.#timesBy(now);
    if (times === undefined) return false;
    const { firstMs, lastMs } = times;
    const sinceFirst = Math.max(0, Math.min(now, lastMs) - firstMs);
    return askedAtMs <= firstMs + Math.floor(sinceFirst / INTERVAL_MS) * INTERVAL_MS;
  }

  /** Where the clock went back, what was due before is due as of now: else each use of a session would ask Keycloak until that time comes again. */
  #timesBy(now: number): RecheckTimes | undefined {
    const times = this.#times;
    if (times === undefined || times.firstMs <= now + STEP_MS) return times;
    return (this.#times = { firstMs: now, lastMs: now + times.lastMs - times.firstMs });
  }
}

/** SessionRechecks: decides which sessions Keycloak must confirm again after a logout token that could not be verified. */

/** As long as the default introspection TTL, and longer than a logout at Keycloak takes. */
const INTERVAL_MS = 10_000;

/**
 * A logout token that can't be verified, because Keycloak's keys are unavailable, may have ended any session, and Keycloak sends it
 * once. So every session is rechecked: at once, and again after the logout must be complete at Keycloak, which still reports the
 * session as active until then. Anyone can send such tokens. Yet no session is rechecked more often than once in ten seconds,
 * which is how often its tokens are introspected anyway.
 */
export class SessionRechecks {
  #firstMs = -Infinity;
  #lastMs = -Infinity;

  /** `nowMs`: monotonic. */
  constructor(private readonly nowMs: () => number) {}

  /** Requires all sessions to be rechecked. */
  require(): void {
    const now = this.nowMs();
    if (now >= this.#lastMs + INTERVAL_MS) this.#firstMs = now;
    this.#lastMs = this.#firstMs + Math.ceil((now + INTERVAL_MS - this.#firstMs) / INTERVAL_MS) * INTERVAL_MS;
  }

  /** Whether a session that Keycloak last confirmed at `askedAtMs` must be rechecked. */
  areDueSince(askedAtMs: number): boolean {
    if (this.#firstMs === -Infinity) return false;
    const sinceFirst = Math.min(this.nowMs(), this.#lastMs) - this.#firstMs;
    return askedAtMs <= this.#firstMs + Math.floor(sinceFirst / INTERVAL_MS) * INTERVAL_MS;
  }
}

/** SessionDoubts: since when Keycloak must have been asked about a session, after an end that was told and not understood. */

/** Milliseconds. As long as the window in which a service need not ask at all; and longer than a logout at Keycloak takes. */
const INTERVAL_MS = 10_000;

/**
 * A logout token that can't be verified, because Keycloak's keys can't be had, may have ended any session, and it comes once.
 * So every session is doubted: at once, and again when the logout must be through at Keycloak, which until then still calls
 * the session active. However many such tokens come, and from whomever, no session is doubted more often than once in ten
 * seconds: as often as its tokens are introspected anyway.
 */
export class SessionDoubts {
  #firstMs = -Infinity;
  #lastMs = -Infinity;

  /** `nowMs`: monotonic. */
  constructor(private readonly nowMs: () => number) {}

  raise(): void {
    const now = this.nowMs();
    if (now >= this.#lastMs + INTERVAL_MS) this.#firstMs = now;
    this.#lastMs = this.#firstMs + Math.ceil((now + INTERVAL_MS - this.#firstMs) / INTERVAL_MS) * INTERVAL_MS;
  }

  /** Whether a session that Keycloak was last asked about then, and called good, is to be asked about anew. */
  concern(askedAtMs: number): boolean {
    if (this.#firstMs === -Infinity) return false;
    const sinceFirst = Math.min(this.nowMs(), this.#lastMs) - this.#firstMs;
    return askedAtMs <= this.#firstMs + Math.floor(sinceFirst / INTERVAL_MS) * INTERVAL_MS;
  }
}

import type { VerifiedAccessToken } from 'nestjs-keycloak-s2s';

const MAX_ENTRIES = 1000;
/** Within this time, a user can log in. Later, a refused call is challenged again. */
const MEMORY_MS = 600_000;

type RefusedToken = Pick<VerifiedAccessToken, 'hash' | 'claims'>;

interface Entry {
  readonly hash: string;
  readonly issuedAt: number;
  readonly untilMs: number;
}

/**
 * Finds out whether a login after a challenge did not help. Keycloak omits a scope that the user may not have, and issues
 * the token without it. The clock is monotonic.
 */
export class RepeatedRefusals {
  readonly #entries = new Map<string, Entry>();

  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Returns true if an older token was refused with the same key, and remembers the token otherwise. */
  isRepeated(key: string, token: RefusedToken): boolean {
    const entry = this.#entries.get(key);
    const issuedAt = token.claims.iat ?? 0;
    if (entry !== undefined && entry.untilMs > this.nowMs()) {
      return entry.hash !== token.hash && issuedAt >= entry.issuedAt;
    }
    this.#entries.delete(key);
    this.#entries.set(key, { hash: token.hash, issuedAt, untilMs: this.nowMs() + MEMORY_MS });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MAX_ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
    return false;
  }

  /** The next session of the user may begin without the permission, and then needs a challenge. */
  forget(key: string): void {
    this.#entries.delete(key);
  }
}

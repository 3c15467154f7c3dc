/** RevocationList: what this service refuses from now on, whatever Keycloak says of it. */
import type { Clock } from '../caching/clock.js';
import type { Denial } from '../protocol/denial.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { HeldDenials, type HeldDenialsOptions, type RevocationLog } from './held-denials.js';
import { Rechecks, type Recheck } from './rechecks.js';

export interface RevocationListOptions extends HeldDenialsOptions {
  /** How long an introspection answer may serve. */
  readonly introspectionTtlSeconds: number;
}

/**
 * `deny()` is the one way in, for a logout notice or an administrator's request. What is denied is refused with 401 `invalid_token` (reason `revoked`) on every
 * guarded route, and is not exchanged any more: from the next request on, answers and tokens that are kept included, and for `revocationMemorySeconds`.
 *
 * With `forRoot({ revocationChannel })` it reaches all replicas of all services, and those that start later. Without one it holds in this process, until that ends.
 * It does NOT tell Keycloak, or end calls that are in flight. It can't be switched off. When it is full, the denial that would end first goes early, with a warning in
 * the log; from then on every token issued before that denial was made is refused, whosesoever it is: what was denied does not come back for it.
 */
export class RevocationList {
  readonly #held: HeldDenials;
  readonly #rechecks: Rechecks;

  constructor(
    options: RevocationListOptions,
    clock: Clock,
    log: RevocationLog,
    held = new HeldDenials(options, clock, log),
    rechecks = new Rechecks(options.introspectionTtlSeconds * 1000, clock),
  ) {
    this.#held = held;
    this.#rechecks = rechecks;
  }

  /**
   * How many denials are held, at most `maxRevocations`; that of a token with its `jti` counts twice. Those whose time is over
   * are counted until the next one comes.
   */
  get size(): number {
    return this.#held.size;
  }

  /**
   * Holds at once, and for `revocationMemorySeconds` from now. To deny the same again does no harm: it is held longer, and
   * of two `issuedBefore` the later one counts. Throws `TypeError` when `denial` is not exactly one `Denial`.
   */
  deny(denial: Denial): void {
    this.#held.deny(denial);
  }

  /**
   * For what may have been revoked, and may not: answers of the authorization server that were asked for until now serve no more, of the tokens that `recheck` is about. Each
   * is introspected once more when it comes next. Those that are verified by their signature, and were issued until now, are introspected from now on, until they end. It reaches as far as `deny()`. It does NOT refuse anybody by itself. Throws `TypeError` when `recheck` is not exactly one `Recheck`.
   */
  recheck(recheck: Recheck): void {
    this.#rechecks.require(recheck);
  }

  /** Whether `token` is denied: by its session, its subject or itself. The guard and the token exchange ask this. */
  denies(token: VerifiedAccessToken): boolean {
    return this.#held.denies(token);
  }

  /** Calls `listener` after each denial, those of other replicas too. @internal */
  onDenied(listener: () => void): void {
    this.#held.onDenied(listener);
  }

  /** Calls `listener` after each recheck, as `onDenied`. @internal */
  onRecheck(listener: () => void): void {
    this.#rechecks.onRequired(listener);
  }
}

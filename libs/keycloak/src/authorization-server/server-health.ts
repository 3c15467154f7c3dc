/** AuthorizationServerHealth: whether the authorization server can be reached, for readiness probes. */
import { DeadlineCache } from '../caching/deadline-cache.js';
import type { Clock } from '../caching/clock.js';
import { Refusal, type RefusalCode } from '../protocol/refusal.js';
import type { RefusalReason } from '../protocol/refusal-reasons.js';
import type { ServerMetadata } from './metadata.js';

/** How long one look answers for all probes: so that a public probe can't be used to flood the server. */
const LOOK_LIFETIME_MS = 1000;

export type AuthorizationServerStatus =
  | { readonly reachable: true }
  | { readonly reachable: false; readonly code: RefusalCode; readonly reason: RefusalReason };

export class AuthorizationServerHealth {
  readonly #last: DeadlineCache<AuthorizationServerStatus>;

  constructor(
    private readonly metadata: ServerMetadata,
    clock: Clock,
  ) {
    this.#last = new DeadlineCache(1, clock);
  }

  /** Reads the discovery document anew, at most once a second. Does not throw. */
  async check(): Promise<AuthorizationServerStatus> {
    const last = this.#last.get('status');
    if (last !== undefined) return last;
    const status = await this.#look();
    this.#last.set('status', status, LOOK_LIFETIME_MS);
    return status;
  }

  async #look(): Promise<AuthorizationServerStatus> {
    try {
      await this.metadata.refresh();
      return { reachable: true };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { reachable: false, code: error.code, reason: error.reason };
    }
  }
}

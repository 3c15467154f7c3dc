/** AuthorizationServerHealth: whether the authorization server can be reached, and has accepted this service's credentials. */
import { DeadlineCache } from '../caching/deadline-cache.js';
import type { Clock } from '../caching/clock.js';
import { Flights } from '../caching/flights.js';
import { AuthorizationServerError, type AuthorizationServerErrorCode } from '../protocol/authorization-server-error.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import type { Introspection } from './introspection.js';
import { junkToken } from './junk-token.js';
import type { ServerMetadata } from './metadata.js';

/** How long one look answers for all probes: so that a public probe can't be used to flood the server. */
const LOOK_LIFETIME_MS = 1000;

export type AuthorizationServerStatus =
  | { readonly reachable: true }
  | {
      readonly reachable: false;
      readonly code: AuthorizationServerErrorCode;
      readonly reason: AuthorizationServerErrorReason;
      /** To throw where the answer is needed. */
      readonly error: AuthorizationServerError;
    };

export class AuthorizationServerHealth {
  readonly #looks: DeadlineCache<AuthorizationServerStatus>;
  readonly #flights = new Flights<AuthorizationServerStatus>();
  #isAccepted = false;

  constructor(
    private readonly metadata: Pick<ServerMetadata, 'refresh'>,
    private readonly introspection: Pick<Introspection, 'introspect'>,
    clock: Clock,
    /** Of a service that verifies signatures: resolves when it has what it needs for that. */
    private readonly verifiesTokens: () => Promise<void> = async () => undefined,
    private readonly junk: () => string = junkToken,
  ) {
    this.#looks = new DeadlineCache(2, clock);
  }

  /** Whether the server can be reached now: reads the discovery document anew, at most once a second. Does not throw. */
  async check(): Promise<AuthorizationServerStatus> {
    return this.#lookOnceASecond('reachable', async () => this.metadata.refresh());
  }

  /**
   * Whether this service can do its work with what it was given: the server has accepted its credentials, once, and given its keys where signatures are verified. It asks
   * about a token of random bytes, at most once a second, until that is so. It stays so when the server goes away later: what is cached still serves,
   * and all instances would leave at once. Does not throw.
   */
  async ready(): Promise<AuthorizationServerStatus> {
    if (this.#isAccepted) return REACHABLE;
    const status = await this.#lookOnceASecond('accepted', async () => {
      await this.introspection.introspect(this.junk());
      await this.verifiesTokens();
    });
    // Never taken back: of looks that overlap, a late one may have failed.
    if (status.reachable) this.#isAccepted = true;
    return status;
  }

  async #lookOnceASecond(what: string, look: () => Promise<unknown>): Promise<AuthorizationServerStatus> {
    const last = this.#looks.get(what);
    if (last !== undefined) return last;
    return this.#flights.run(what, async () => {
      const status = await statusOf(look);
      this.#looks.set(what, status, LOOK_LIFETIME_MS);
      return status;
    });
  }
}

const REACHABLE: AuthorizationServerStatus = { reachable: true };

async function statusOf(look: () => Promise<unknown>): Promise<AuthorizationServerStatus> {
  try {
    await look();
    return REACHABLE;
  } catch (error) {
    if (!(error instanceof AuthorizationServerError)) throw error;
    return { reachable: false, code: error.code, reason: error.reason, error };
  }
}

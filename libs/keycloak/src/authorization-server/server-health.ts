import { DeadlineCache } from '../caching/deadline-cache.js';
import type { Clock } from '../caching/clock.js';
import { Flights } from '../caching/flights.js';
import { AuthorizationServerError, type AuthorizationServerErrorCode } from '../protocol/authorization-server-error.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import type { Introspection } from './introspection.js';
import { junkToken } from './junk-token.js';
import type { ServerMetadata } from './metadata.js';

/** The time for which health probes share one result, so that probes can't flood the server. */
const LOOK_LIFETIME_MS = 1000;

export type AuthorizationServerStatus =
  | { readonly reachable: true }
  | {
      readonly reachable: false;
      readonly code: AuthorizationServerErrorCode;
      readonly reason: AuthorizationServerErrorReason;
      readonly error: AuthorizationServerError;
    };

/** Whether the authorization server is reachable and accepts this service's credentials. */
export class AuthorizationServerHealth {
  readonly #looks: DeadlineCache<AuthorizationServerStatus>;
  readonly #flights = new Flights<AuthorizationServerStatus>();
  #isAccepted = false;

  constructor(
    private readonly metadata: Pick<ServerMetadata, 'refresh'>,
    private readonly introspection: Pick<Introspection, 'introspect'>,
    clock: Clock,
    private readonly verifiesTokens: () => Promise<void> = async () => undefined,
    private readonly junk: () => string = junkToken,
  ) {
    this.#looks = new DeadlineCache(2, clock);
  }

  /** Rereads the discovery document at most once a second. Resolves even for an unreachable server. */
  async check(): Promise<AuthorizationServerStatus> {
    return this.#lookOnceASecond('reachable', async () => this.metadata.refresh());
  }

  /**
   * The service is ready once the server has accepted its credentials and, for signature verification, sent its keys.
   * Until the service is ready, a check introspects a random token, at most once a second. The service stays ready if
   * the server becomes unreachable, because cached results still work. An outage of the server must not make all
   * instances unready at the same time.
   */
  async ready(): Promise<AuthorizationServerStatus> {
    if (this.#isAccepted) return REACHABLE;
    const status = await this.#lookOnceASecond('accepted', async () => {
      await this.introspection.introspect(this.junk());
      await this.verifiesTokens();
    });
    // An older probe may fail after a newer probe has succeeded, so a failure never resets `#isAccepted`.
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

/** Held connections: closes those whose token has expired, was denied or is not active any more, also while the caller only listens. */
import type { Clock } from '../caching/clock.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { LongLivedConnection } from './credential-carrier.js';

/** How often all of them are judged anew, mostly by an answer that is cached; a denial has them judged at once. */
const SWEEP_MS = 1000;

/** Judges the token of a connection anew. Throws `BearerError` when it is good no more. */
export type Rejudge = () => VerifiedAccessToken | Promise<VerifiedAccessToken>;

interface Held {
  readonly connection: LongLivedConnection;
  readonly rejudge: Rejudge;
  token: VerifiedAccessToken;
  /** Until when the last answer may be relied on, if there comes no other; monotonic. */
  reliableUntilMs: number;
  isAsking: boolean;
}

export interface HeldConnectionsOptions {
  readonly introspectionTtlSeconds: number;
}

/**
 * The revocation window holds for who only listens, too: an answer about a token is reused for `introspectionTtlSeconds`. When the authorization
 * server gives no other, the connection is closed after twice that time.
 */
export class HeldConnections {
  readonly #held = new Map<object, Held>();
  #sweeping: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: HeldConnectionsOptions,
    private readonly clock: Clock,
    private readonly revocations: {
      denies(token: VerifiedAccessToken): boolean;
      onDenied(listener: () => void): void;
    },
  ) {
    revocations.onDenied(() => this.#sweep());
  }

  /** How many are held. */
  get size(): number {
    return this.#held.size;
  }

  /** From now on; again for one that is held already, by the token that was judged last. */
  hold(connection: LongLivedConnection, token: VerifiedAccessToken, rejudge: Rejudge): void {
    const reliableUntilMs = this.#reliableUntilMs();
    this.#held.set(connection.key, { connection, rejudge, token, isAsking: false, reliableUntilMs });
    this.#sweeping ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  #reliableUntilMs(): number {
    return this.clock.monotonicMs() + 2 * Math.max(SWEEP_MS, this.options.introspectionTtlSeconds * 1000);
  }

  #sweep(): void {
    const nowMs = this.clock.monotonicMs();
    for (const [key, held] of this.#held) {
      if (!held.connection.isOpen()) this.#held.delete(key);
      else if (this.#isOver(held, nowMs)) this.#close(key, held);
      else if (!held.isAsking) void this.#judgeAnew(key, held);
    }
    if (this.#held.size > 0) return;
    clearInterval(this.#sweeping);
    this.#sweeping = undefined;
  }

  #isOver({ token, reliableUntilMs }: Held, nowMs: number): boolean {
    return nowMs >= reliableUntilMs || this.clock.epochSeconds() >= token.expiresAt || this.revocations.denies(token);
  }

  async #judgeAnew(key: object, held: Held): Promise<void> {
    held.isAsking = true;
    try {
      held.token = await held.rejudge();
      held.reliableUntilMs = this.#reliableUntilMs();
    } catch (error) {
      // No answer says nothing of the token: it is asked again until the last one is too old.
      if (error instanceof BearerError && this.#held.get(key) === held) this.#close(key, held);
    } finally {
      held.isAsking = false;
    }
  }

  #close(key: object, { connection }: Held): void {
    this.#held.delete(key);
    connection.close();
  }
}

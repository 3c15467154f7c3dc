/** Held connections: closes those whose token has expired, was denied or is not active any more, also while the caller only listens. */
import type { Clock } from '../caching/clock.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { BearerErrorReason } from '../protocol/refusal-reasons.js';
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

/** Why a connection was closed, for the log. */
export type ConnectionEnd = 'expired' | 'revoked' | 'no_answer' | BearerErrorReason;

/**
 * The revocation window holds for who only listens, too: an answer about a token is reused for `introspectionTtlSeconds`, and when the authorization
 * server gives no other, the connection is closed after as long again. One over which several tokens came is closed when any of them ends.
 */
export class HeldConnections {
  /** By connection, and by the hash of the token. */
  readonly #held = new Map<object, Map<string, Held>>();
  #sweeping: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: HeldConnectionsOptions,
    private readonly clock: Clock,
    private readonly revocations: {
      denies(token: VerifiedAccessToken): boolean;
      onDenied(listener: () => void): void;
    },
    private readonly log: { log(message: string, fields: object): void },
  ) {
    revocations.onDenied(() => this.#sweep());
  }

  /** How many are held. */
  get size(): number {
    return this.#held.size;
  }

  /** From now on; by the same token again, from the answer that was had last. */
  hold(connection: LongLivedConnection, token: VerifiedAccessToken, rejudge: Rejudge): void {
    const reliableUntilMs = this.#reliableUntilMs();
    const ofConnection = this.#held.get(connection.key) ?? new Map<string, Held>();
    this.#held.set(connection.key, ofConnection);
    ofConnection.set(token.hash, { connection, rejudge, token, isAsking: false, reliableUntilMs });
    this.#sweeping ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  #reliableUntilMs(): number {
    return this.clock.monotonicMs() + Math.max(2 * SWEEP_MS, this.options.introspectionTtlSeconds * 1000);
  }

  #sweep(): void {
    const nowMs = this.clock.monotonicMs();
    for (const [key, ofConnection] of this.#held) {
      for (const held of ofConnection.values()) this.#look(key, held, nowMs);
    }
    if (this.#held.size > 0) return;
    clearInterval(this.#sweeping);
    this.#sweeping = undefined;
  }

  #look(key: object, held: Held, nowMs: number): void {
    const { connection, token } = held;
    if (!connection.isOpen()) this.#held.delete(key);
    else if (this.clock.epochSeconds() >= token.expiresAt) this.#close(key, held, 'expired');
    else if (this.revocations.denies(token)) this.#close(key, held, 'revoked');
    else if (nowMs >= held.reliableUntilMs) this.#close(key, held, 'no_answer');
    else if (!held.isAsking) void this.#judgeAnew(key, held);
  }

  async #judgeAnew(key: object, held: Held): Promise<void> {
    held.isAsking = true;
    try {
      held.token = await held.rejudge();
      held.reliableUntilMs = this.#reliableUntilMs();
    } catch (error) {
      // No answer says nothing of the token: it is asked again until the last one is too old.
      const isStillHeld = this.#held.get(key)?.get(held.token.hash) === held;
      if (error instanceof BearerError && isStillHeld) this.#close(key, held, error.reason);
    } finally {
      held.isAsking = false;
    }
  }

  #close(key: object, { connection, token }: Held, reason: ConnectionEnd): void {
    if (!this.#held.delete(key)) return;
    const { issuer: iss, clientId: azp, subject: sub, claims } = token;
    this.log.log('Connection closed: its token is good no more', { reason, iss, azp, sub, jti: claims.jti });
    try {
      connection.close();
    } catch {
      // It was closed already; those after it are to be looked at.
    }
  }
}

import type { Clock } from '../caching/clock.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { BearerErrorReason } from '../protocol/refusal-reasons.js';
import { ownerOf, type VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { LongLivedConnection } from './request.adapter.js';
import { ANY_ANSWER, NO_ANSWER_NEEDED } from './verification.js';

const SWEEP_MS = 1000;

export type Reverify = (maxStalenessSeconds: number) => VerifiedAccessToken | Promise<VerifiedAccessToken>;

interface Held {
  readonly key: object;
  readonly hash: string;
  readonly connection: LongLivedConnection;
  reverify: Reverify;
  demanded: number;
  token: VerifiedAccessToken;
  /**
   * `dueMs` and `reliableUntilMs` are monotonic times. At `reliableUntilMs` the connection is closed if no newer result
   * has arrived.
   */
  dueMs: number;
  reliableUntilMs: number;
  isWaiting: boolean;
}

export interface HeldConnectionsOptions {
  readonly introspectionTtlSeconds: number;
  readonly maxConcurrentCalls: number;
}

const needsAnswer = (held: Held | undefined): boolean => held !== undefined && held.demanded !== NO_ANSWER_NEEDED;

export type ConnectionEnd = 'expired' | 'revoked' | 'no_answer' | BearerErrorReason;

/**
 * Closes a long-lived connection when its token is no longer valid. Verifies each token twice per
 * `introspectionTtlSeconds`. A verification accepts no result that is older than half of `introspectionTtlSeconds`.
 * Verifications use at most half of `maxConcurrentCalls`, to leave slots for other calls. If no answer arrives, closes
 * the connection `introspectionTtlSeconds` after the last call of `hold()`, or 1.5 times as long after the last
 * verification.
 */
export class HeldConnections {
  readonly #held = new Map<object, Map<string, Held>>();
  readonly #due: Held[] = [];
  readonly #windowMs: number;
  #asking = 0;
  #sweeping: NodeJS.Timeout | undefined;
  #sweptMs = -Infinity;
  #isLooking = false;
  /** A verification that began before the last recheck is repeated. */
  #recheckMs = -Infinity;

  constructor(
    private readonly options: HeldConnectionsOptions,
    private readonly clock: Clock,
    private readonly revocations: {
      denies(token: VerifiedAccessToken): boolean;
      onDenied(listener: () => void): void;
      onRecheck(listener: () => void): void;
    },
    private readonly log: { log(message: string, fields: object): void },
  ) {
    this.#windowMs = Math.max(2 * SWEEP_MS, options.introspectionTtlSeconds * 1000);
    revocations.onDenied(() => this.#lookSoon());
    revocations.onRecheck(() => this.#reverifyAllSoon());
  }

  get size(): number {
    return this.#held.size;
  }

  /**
   * The known result may be nearly `introspectionTtlSeconds` old, so the next periodic check verifies the token again.
   * Another call of `hold()` for the token does not postpone the verification. A token that once needed introspection
   * is always introspected for this connection.
   */
  hold(connection: LongLivedConnection, token: VerifiedAccessToken, reverify: Reverify, demanded = ANY_ANSWER): void {
    const { key } = connection;
    const ofConnection = this.#held.get(key) ?? new Map<string, Held>();
    this.#held.set(key, ofConnection);
    const { hash } = token;
    const earlier = ofConnection.get(hash);
    const isAnswered = needsAnswer(earlier);
    if (demanded === NO_ANSWER_NEEDED && isAnswered) return;
    const nowMs = this.clock.monotonicMs();
    const reliableUntilMs = nowMs + this.#windowMs;
    if (earlier === undefined) {
      const times = { dueMs: nowMs, reliableUntilMs };
      ofConnection.set(hash, { key, hash, connection, reverify, demanded, token, isWaiting: false, ...times });
    } else {
      if (demanded !== NO_ANSWER_NEEDED && !isAnswered) earlier.dueMs = nowMs;
      earlier.reliableUntilMs = Math.max(earlier.reliableUntilMs, reliableUntilMs);
      Object.assign(earlier, { reverify, demanded, token });
    }
    if (this.#sweeping !== undefined) return;
    this.#sweptMs = nowMs;
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  /**
   * Releases a connection before the next periodic check, so that the garbage collector frees short responses while
   * they are cheap to free (perf: mcp).
   */
  readonly release = (key: object): void => {
    this.#held.delete(key);
  };

  /** Jitter spreads the verifications of connections that were opened together. */
  #times(): { readonly dueMs: number; readonly reliableUntilMs: number } {
    const nowMs = this.clock.monotonicMs();
    const dueMs = nowMs + (this.#windowMs / 2) * (0.8 + 0.2 * Math.random());
    return { dueMs, reliableUntilMs: nowMs + 1.5 * this.#windowMs };
  }

  #lookSoon(): void {
    if (this.#isLooking || this.#held.size === 0) return;
    this.#isLooking = true;
    queueMicrotask(() => {
      this.#isLooking = false;
      for (const held of this.#all()) if (this.revocations.denies(held.token)) this.#close(held, 'revoked');
    });
  }

  #reverifyAllSoon(): void {
    this.#recheckMs = this.clock.monotonicMs();
    for (const held of this.#all()) held.dueMs = -Infinity;
  }

  #all(): Held[] {
    return [...this.#held.values()].flatMap((ofConnection) => [...ofConnection.values()]);
  }

  #sweep(): void {
    const nowMs = this.clock.monotonicMs();
    // Extends the deadlines after a pause of the process, to keep the connections open.
    const stoppedMs = Math.max(0, nowMs - this.#sweptMs - 2 * SWEEP_MS);
    this.#sweptMs = nowMs;
    for (const held of this.#all()) {
      held.reliableUntilMs += stoppedMs;
      this.#look(held, nowMs);
    }
    this.#reverifyDue();
    if (this.#held.size > 0) return;
    clearInterval(this.#sweeping);
    this.#sweeping = undefined;
  }

  #look(held: Held, nowMs: number): void {
    const { key, connection, token, dueMs, reliableUntilMs } = held;
    if (!connection.isOpen()) this.#held.delete(key);
    else if (this.clock.epochSeconds() >= token.expiresAt) this.#close(held, 'expired');
    else if (this.revocations.denies(token)) this.#close(held, 'revoked');
    else if (nowMs >= reliableUntilMs) this.#close(held, 'no_answer');
    else if (nowMs >= dueMs && !held.isWaiting) {
      held.isWaiting = true;
      this.#due.push(held);
    }
  }

  #reverifyDue(): void {
    while (this.#asking < Math.max(1, this.options.maxConcurrentCalls / 2)) {
      const held = this.#due.shift();
      if (held === undefined) return;
      // Continues asynchronously, because recursion would overflow the stack if one refused token has thousands of
      // connections.
      if (this.#isHeld(held)) void this.#reverify(held).finally(() => this.#reverifyDue());
    }
  }

  #isHeld(held: Held): boolean {
    return this.#held.get(held.key)?.get(held.hash) === held;
  }

  async #reverify(held: Held): Promise<void> {
    this.#asking += 1;
    const beganMs = this.clock.monotonicMs();
    const { reverify } = held;
    try {
      const halfWindow = this.options.introspectionTtlSeconds / 2;
      held.token = await reverify(needsAnswer(held) ? halfWindow : NO_ANSWER_NEEDED);
      Object.assign(held, this.#times());
      if (beganMs <= this.#recheckMs) held.dueMs = -Infinity;
    } catch (error) {
      if (!(error instanceof BearerError) || !this.#isHeld(held)) return;
      // If a newer call has admitted the token, verifies the token again.
      if (held.reverify === reverify) this.#close(held, error.reason);
      else held.dueMs = -Infinity;
    } finally {
      held.isWaiting = false;
      this.#asking -= 1;
    }
  }

  #close({ key, connection, token }: Held, reason: ConnectionEnd): void {
    if (!this.#held.delete(key) || !connection.isOpen()) return;
    this.log.log('Connection closed: its token is no longer valid', { reason, ...ownerOf(token) });
    try {
      connection.close();
    } catch {
      // The connection was closed already.
    }
  }
}

/** Held connections: closes those whose token has expired, was denied or is not active any more, also while the caller only listens. */
import type { Clock } from '../caching/clock.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { BearerErrorReason } from '../protocol/refusal-reasons.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { LongLivedConnection } from './request.adapter.js';
import { ANY_ANSWER, NO_ANSWER_NEEDED } from './verification.js';

/** How often all of them are looked at. */
const SWEEP_MS = 1000;

/** Judges the token of a connection anew, by an answer that is that old at most, or by none that is needed. Throws `BearerError` when it is good no more. */
export type Rejudge = (maxStalenessSeconds: number) => VerifiedAccessToken | Promise<VerifiedAccessToken>;

interface Held {
  readonly key: object;
  readonly hash: string;
  readonly connection: LongLivedConnection;
  rejudge: Rejudge;
  /** As `demandedStaleness()` has it: whether an answer is needed at all. */
  demanded: number;
  token: VerifiedAccessToken;
  /** When its token is to be judged anew, and until when the last answer may be relied on if there comes no other; monotonic. */
  dueMs: number;
  reliableUntilMs: number;
  isWaiting: boolean;
}

export interface HeldConnectionsOptions {
  readonly introspectionTtlSeconds: number;
  readonly maxConcurrentCalls: number;
}

const needsAnswer = (held: Held | undefined): boolean => held !== undefined && held.demanded !== NO_ANSWER_NEEDED;

/** Why a connection was closed, for the log. */
export type ConnectionEnd = 'expired' | 'revoked' | 'no_answer' | BearerErrorReason;

/**
 * The revocation window holds for who only listens, too: each token is judged twice in `introspectionTtlSeconds`, by an answer of half that age at
 * most, with half of `maxConcurrentCalls` at once, so that others find slots; or by its signature, where all that came with it was admitted by that. When the
 * authorization server gives no answer, the connection is closed after twice the window. One over which several tokens came is closed when any of them ends.
 */
export class HeldConnections {
  /** By connection, and by the hash of the token. */
  readonly #held = new Map<object, Map<string, Held>>();
  readonly #due: Held[] = [];
  readonly #windowMs: number;
  #asking = 0;
  #sweeping: NodeJS.Timeout | undefined;
  /** Monotonic. */
  #sweptMs = -Infinity;
  #isLooking = false;
  /** When the last recheck came; monotonic. What was asked until then is asked once more. */
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
    revocations.onRecheck(() => this.#judgeAllSoon());
  }

  /** How many are held. */
  get size(): number {
    return this.#held.size;
  }

  /**
   * From now on. The answer that admitted the token may have served for nearly the whole window already: so it is judged anew at the next sweep, and
   * the same token again puts off nothing. What was judged by an answer stays so, whatever comes with less.
   */
  hold(connection: LongLivedConnection, token: VerifiedAccessToken, rejudge: Rejudge, demanded = ANY_ANSWER): void {
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
      ofConnection.set(hash, { key, hash, connection, rejudge, demanded, token, isWaiting: false, ...times });
    } else {
      if (demanded !== NO_ANSWER_NEEDED && !isAnswered) earlier.dueMs = nowMs;
      earlier.reliableUntilMs = Math.max(earlier.reliableUntilMs, reliableUntilMs);
      Object.assign(earlier, { rejudge, demanded, token });
    }
    if (this.#sweeping !== undefined) return;
    this.#sweptMs = nowMs;
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  /** After an answer of half a window at most. Not all at one time, of those that came together. */
  #times(): { readonly dueMs: number; readonly reliableUntilMs: number } {
    const nowMs = this.clock.monotonicMs();
    const dueMs = nowMs + (this.#windowMs / 2) * (0.8 + 0.2 * Math.random());
    return { dueMs, reliableUntilMs: nowMs + 1.5 * this.#windowMs };
  }

  /** Once, however many are denied at a time. */
  #lookSoon(): void {
    if (this.#isLooking || this.#held.size === 0) return;
    this.#isLooking = true;
    queueMicrotask(() => {
      this.#isLooking = false;
      for (const held of this.#all()) if (this.revocations.denies(held.token)) this.#close(held, 'revoked');
    });
  }

  /** At the next sweep: those whose answer is to be had anew ask for it, and the others are served by what is cached. */
  #judgeAllSoon(): void {
    this.#recheckMs = this.clock.monotonicMs();
    for (const held of this.#all()) held.dueMs = -Infinity;
  }

  #all(): Held[] {
    return [...this.#held.values()].flatMap((ofConnection) => [...ofConnection.values()]);
  }

  #sweep(): void {
    const nowMs = this.clock.monotonicMs();
    // While this process was busy or stopped nothing was asked, and nothing was sent to anybody: all would be closed at once, and come back at once.
    const stoppedMs = Math.max(0, nowMs - this.#sweptMs - 2 * SWEEP_MS);
    this.#sweptMs = nowMs;
    for (const held of this.#all()) {
      held.reliableUntilMs += stoppedMs;
      this.#look(held, nowMs);
    }
    this.#judgeDue();
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

  #judgeDue(): void {
    while (this.#asking < Math.max(1, this.options.maxConcurrentCalls / 2)) {
      const held = this.#due.shift();
      if (held === undefined) return;
      // The next one later, and not within this one: one that is refused at once would add to the stack, and there may be thousands of a token.
      if (this.#isHeld(held)) void this.#judgeAnew(held).finally(() => this.#judgeDue());
    }
  }

  #isHeld(held: Held): boolean {
    return this.#held.get(held.key)?.get(held.hash) === held;
  }

  async #judgeAnew(held: Held): Promise<void> {
    this.#asking += 1;
    const beganMs = this.clock.monotonicMs();
    const { rejudge } = held;
    try {
      const halfWindow = this.options.introspectionTtlSeconds / 2;
      held.token = await rejudge(needsAnswer(held) ? halfWindow : NO_ANSWER_NEEDED);
      Object.assign(held, this.#times());
      if (beganMs <= this.#recheckMs) held.dueMs = -Infinity;
    } catch (error) {
      // No answer says nothing of the token: it is asked again until the last one is too old.
      if (!(error instanceof BearerError) || !this.#isHeld(held)) return;
      // Admitted anew meanwhile: what was said last counts, and that is asked for at once.
      if (held.rejudge === rejudge) this.#close(held, error.reason);
      else held.dueMs = -Infinity;
    } finally {
      held.isWaiting = false;
      this.#asking -= 1;
    }
  }

  #close({ key, connection, token }: Held, reason: ConnectionEnd): void {
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

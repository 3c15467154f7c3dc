import type { Clock } from '../caching/clock.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import { Bulkhead, NoSlotError } from './bulkhead.js';
import type { CallRules } from './call-rules.js';
import {
  CircuitBreaker,
  CircuitOpenError,
  type CircuitBreakerOptions,
  type CircuitState,
  type Outcome,
  type Settled,
} from './circuit-breaker.js';

export interface CallGateOptions extends CircuitBreakerOptions {
  readonly maxConcurrentCalls: number;
  readonly maxQueuedCalls: number;
}

export type { CircuitState };

/** The state of one kind of call. */
export interface CallsState {
  readonly circuit: CircuitState;
  readonly running: number;
  readonly queued: number;
}

export interface Wait {
  /**
   * The remaining time, or a function that throws if no time is left. The function is called before the wait and again
   * before the call is sent.
   */
  readonly leftMs: number | (() => number);
  readonly signal: AbortSignal | undefined;
  /** Whether the caller, and not the called service, ended the call. */
  readonly isGivenUp: () => boolean;
}

/** Queued calls fail when the circuit opens, because the breaker is inside the bulkhead. */
export class CallGate<Answer = unknown> {
  readonly #bulkhead: Bulkhead;
  /** Created at the first failure, because most processes see no failure. */
  #breaker: CircuitBreaker | undefined;

  constructor(
    private readonly options: CallGateOptions,
    private readonly rules: CallRules<Answer>,
    private readonly clock: Clock,
    private readonly onCircuit: (state: CircuitState) => void = () => undefined,
  ) {
    this.#bulkhead = new Bulkhead(options.maxConcurrentCalls, options.maxQueuedCalls);
  }

  get state(): CallsState {
    const { running, queued } = this.#bulkhead;
    return { circuit: this.#breaker?.state ?? 'closed', running, queued };
  }

  /**
   * @param heldUntil Fulfils when the body of a streamed answer has ended; the call holds its slot until this time.
   * @throws The error of the call, or the reason why no call was made; `errorOf` converts either error.
   */
  async pass<T extends Answer>(
    call: (waitedMs: number) => Promise<T>,
    wait: Wait,
    heldUntil?: (answer: T) => Promise<void>,
  ): Promise<T> {
    const failsFast = this.rules.failsWhileTrying === true;
    if (failsFast && this.#breaker?.isSuspended === true) throw new CircuitOpenError();
    const mayWaitMs = typeof wait.leftMs === 'number' ? wait.leftMs : wait.leftMs();
    const entering = this.#bulkhead.enter(mayWaitMs, wait.signal);
    let waitedMs = 0;
    if (entering !== undefined) {
      const sinceMs = this.clock.monotonicMs();
      await entering;
      // A wait beyond `mayWaitMs` means that this process was blocked, so the excess does not count.
      waitedMs = Math.min(this.clock.monotonicMs() - sinceMs, mayWaitMs);
    }
    let held: Promise<void> | undefined;
    try {
      if (failsFast) {
        if (this.#breaker?.isSuspended === true) throw new CircuitOpenError();
        wait.signal?.throwIfAborted();
      }
      const answer = await this.#send(call, waitedMs, wait);
      held = heldUntil?.(answer);
      return answer;
    } finally {
      if (held === undefined) this.#bulkhead.leave();
      else void held.finally(() => this.#bulkhead.leave());
    }
  }

  async #send<T extends Answer>(call: (waitedMs: number) => Promise<T>, waitedMs: number, wait: Wait): Promise<T> {
    if (this.#breaker !== undefined) return this.#sendThrough(this.#breaker, call, waitedMs, wait);
    let isSent = false;
    try {
      if (typeof wait.leftMs === 'function') wait.leftMs();
      isSent = true;
      const answer = await call(waitedMs);
      if (this.#breaker !== undefined || this.rules.isFailedAnswer?.(answer) === true) this.#note({ answer });
      return answer;
    } catch (error) {
      if (isSent && !wait.isGivenUp()) this.#note({ error });
      throw error;
    }
  }

  /** Counts the result of a call that began before any call had failed. */
  #note(settled: Settled<Answer>): void {
    const outcome = this.#outcomeOf(settled);
    if (typeof outcome === 'object') this.#breaker ??= new CircuitBreaker(this.options, this.clock, this.onCircuit);
    this.#breaker?.note(outcome, 0);
  }

  #sendThrough<T extends Answer>(
    breaker: CircuitBreaker,
    call: (waitedMs: number) => Promise<T>,
    waitedMs: number,
    wait: Wait,
  ): Promise<T> {
    let isSent = false;
    return breaker.run(
      async () => {
        // The call may have waited for the circuit breaker's trial call, so check the time again.
        if (typeof wait.leftMs === 'function') wait.leftMs();
        isSent = true;
        return call(waitedMs);
      },
      (settled) => (isSent && !('error' in settled && wait.isGivenUp()) ? this.#outcomeOf(settled) : 'unknown'),
    );
  }

  #outcomeOf(settled: Settled<Answer>): Outcome {
    const { isFailure, isFailedAnswer, retryAfterMs } = this.rules;
    if (!('error' in settled)) {
      const { answer } = settled;
      return isFailedAnswer?.(answer) === true ? { retryAfterMs: retryAfterMs(answer) } : 'harmless';
    }
    const { error } = settled;
    if (!(error instanceof KeycloakException)) return 'unknown';
    return isFailure(error) ? { retryAfterMs: retryAfterMs(error) } : 'harmless';
  }

  errorOf(error: unknown): unknown {
    if (error instanceof NoSlotError) return this.rules.ended('queue_full', 1);
    if (error instanceof CircuitOpenError) return this.rules.ended('circuit_open', this.#breaker?.leftSeconds() ?? 1);
    return error;
  }
}

import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState as BreakerState,
  ConsecutiveBreaker,
  handleWhen,
  type CircuitBreakerPolicy,
} from 'cockatiel';
import type { Clock } from '../caching/clock.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import { Bulkhead, NoSlotError } from './bulkhead.js';
import type { CallRules } from './call-rules.js';
import { CircuitPause } from './circuit-pause.js';

export interface CallGateOptions {
  readonly maxConcurrentCalls: number;
  readonly maxQueuedCalls: number;
  readonly circuitBreakerFailures: number;
  readonly circuitBreakerPauseMs: number;
}

export type CircuitState = 'open' | 'half-open' | 'closed';

/** The state of one kind of call. */
export interface CallsState {
  readonly circuit: CircuitState;
  /** The number of calls in flight. */
  readonly running: number;
  /** The number of calls that wait for a slot. */
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
  readonly #breaker: CircuitBreakerPolicy;
  readonly #failuresInARow: ConsecutiveBreaker;
  readonly #pause: CircuitPause;

  constructor(
    options: CallGateOptions,
    private readonly rules: CallRules<Answer>,
    private readonly clock: Clock,
    onCircuit: (state: CircuitState) => void = () => undefined,
  ) {
    this.#pause = new CircuitPause(clock, options.circuitBreakerPauseMs, (outcome) =>
      rules.retryAfterMs(outcome as Error | Answer),
    );
    this.#bulkhead = new Bulkhead(options.maxConcurrentCalls, options.maxQueuedCalls);
    this.#failuresInARow = new ConsecutiveBreaker(options.circuitBreakerFailures);
    const { isFailedAnswer } = rules;
    const failures = handleWhen((error) => (error instanceof AbandonedCall ? error.isTrial : rules.isFailure(error)));
    const outcomes =
      isFailedAnswer === undefined ? failures : failures.orWhenResult(isFailedAnswer as (answer: unknown) => boolean);
    this.#breaker = circuitBreaker(outcomes, { breaker: this.#failuresInARow, halfOpenAfter: this.#pause });
    this.#breaker.onStateChange((state) => onCircuit(CIRCUIT_STATES[state]));
  }

  get state(): CallsState {
    const { running, queued } = this.#bulkhead;
    const { state } = this.#breaker;
    // The breaker notices the end of its pause only at the next call.
    const circuit = state === BreakerState.Open && this.#pause.isOver ? 'half-open' : CIRCUIT_STATES[state];
    return { circuit, running, queued };
  }

  /**
   * @param heldUntil For an answer whose body is still being read: fulfils when the body has ended. The slot is held
   * until then.
   * @throws The error of the call, or the reason why no call was made; `errorOf` converts both.
   */
  async pass<T extends Answer>(
    call: (waitedMs: number, isTrial: boolean) => Promise<T>,
    wait: Wait,
    heldUntil?: (answer: T) => Promise<void>,
  ): Promise<T> {
    const failsFast = this.rules.failsWhileTrying === true;
    if (failsFast && this.#breaker.state !== BreakerState.Closed) this.#throwIfSuspended();
    const mayWaitMs = typeof wait.leftMs === 'number' ? wait.leftMs : wait.leftMs();
    const entering = this.#bulkhead.enter(mayWaitMs, wait.signal);
    let waitedMs = 0;
    if (entering !== undefined) {
      const sinceMs = this.clock.monotonicMs();
      await entering;
      // A longer wait means that this process was blocked, so the excess does not count.
      waitedMs = Math.min(this.clock.monotonicMs() - sinceMs, mayWaitMs);
    }
    let held: Promise<void> | undefined;
    try {
      if (failsFast) {
        if (this.#breaker.state !== BreakerState.Closed) this.#throwIfSuspended();
        wait.signal?.throwIfAborted();
      }
      const answer = await this.#breaker.execute(() => this.#send(call, waitedMs, wait));
      held = heldUntil?.(answer);
      return answer;
    } catch (error) {
      // A harmless error resets the failure count, because the service answered (cockatiel would keep the count).
      if (error instanceof KeycloakException && !this.rules.isFailure(error)) this.#failuresInARow.success();
      throw error;
    } finally {
      if (held === undefined) this.#bulkhead.leave();
      else void held.finally(() => this.#bulkhead.leave());
    }
  }

  async #send<T>(call: (waitedMs: number, isTrial: boolean) => Promise<T>, waitedMs: number, wait: Wait): Promise<T> {
    const isTrial = this.#breaker.state !== BreakerState.Closed;
    let isSent = false;
    try {
      // This call may have waited for the trial call, so check the time again.
      if (typeof wait.leftMs === 'function') wait.leftMs();
      isSent = true;
      return await call(waitedMs, isTrial);
    } catch (error) {
      throw isSent && !wait.isGivenUp() && error instanceof KeycloakException
        ? error
        : new AbandonedCall(error, isTrial);
    }
  }

  errorOf(error: unknown): unknown {
    if (error instanceof NoSlotError) return this.rules.ended('queue_full', 1);
    if (error instanceof BrokenCircuitError) return this.rules.ended('circuit_open', this.#pause.leftSeconds());
    return error instanceof AbandonedCall ? this.errorOf(error.reason) : error;
  }

  #throwIfSuspended(): void {
    if (this.#breaker.state === BreakerState.Open && this.#pause.isOver) return;
    throw new BrokenCircuitError();
  }
}

const CIRCUIT_STATES = {
  [BreakerState.Closed]: 'closed',
  [BreakerState.Open]: 'open',
  [BreakerState.HalfOpen]: 'half-open',
  [BreakerState.Isolated]: 'open',
} as const;

/**
 * Wraps errors of aborted or unsent calls, and all errors except `KeycloakException`. Without the wrapper, cockatiel
 * would close a half-open circuit after one of these errors.
 */
class AbandonedCall extends Error {
  constructor(
    readonly reason: unknown,
    readonly isTrial: boolean,
  ) {
    super();
  }
}

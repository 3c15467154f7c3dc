/** CallGate: lets so many calls of one kind through at once, and none while their circuit is open. */
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

/** How calls of one kind stand now. */
export interface CallsState {
  readonly circuit: CircuitState;
  /** Calls that are under way. */
  readonly running: number;
  /** Calls that wait for a slot. */
  readonly queued: number;
}

/** How one call waits. */
export interface Wait {
  /** How long it may wait. A function is called before it waits and before it is sent, and throws when the time is over. */
  readonly leftMs: number | (() => number);
  /** Ends the wait. */
  readonly signal: AbortSignal | undefined;
  /** Whether the caller has given the call up: how it ends then says nothing of the other side. */
  readonly isGivenUp: () => boolean;
}

/**
 * A bulkhead with a bounded queue, and in it a circuit breaker that lets one trial call through after its pause and closes when
 * that succeeds. The breaker is inside: when it opens, what waits in the queue fails at once instead of being sent.
 */
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
    // The breaker itself notices the end of its pause with the next call.
    const circuit = state === BreakerState.Open && this.#pause.isOver ? 'half-open' : CIRCUIT_STATES[state];
    return { circuit, running, queued };
  }

  /**
   * Throws what the call throws, or that it was not made: `errorOf` says either in the words of the rules. `call` is told for how
   * long it waited, and whether the circuit hangs on it. `heldUntil`, for an
   * answer that is not whole yet, tells when it is over: until then it keeps its slot.
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
      // What it waited for longer, this process was busy: that is not taken from the time of the call.
      waitedMs = Math.min(this.clock.monotonicMs() - sinceMs, mayWaitMs);
    }
    let held: Promise<void> | undefined;
    try {
      if (failsFast) {
        // A call that waited fails fast, too.
        if (this.#breaker.state !== BreakerState.Closed) this.#throwIfSuspended();
        wait.signal?.throwIfAborted();
      }
      const answer = await this.#breaker.execute(() => this.#send(call, waitedMs, wait));
      held = heldUntil?.(answer);
      return answer;
    } catch (error) {
      // An error that is not a failure was an answer, and ends a series of failures; cockatiel would go on counting.
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
      // Time has passed where this one waited for the trial call of another.
      if (typeof wait.leftMs === 'function') wait.leftMs();
      isSent = true;
      return await call(waitedMs, isTrial);
    } catch (error) {
      throw isSent && !wait.isGivenUp() && error instanceof KeycloakException
        ? error
        : new AbandonedCall(error, isTrial);
    }
  }

  /** The error for the caller, of whatever `pass` threw. */
  errorOf(error: unknown): unknown {
    if (error instanceof NoSlotError) return this.rules.ended('queue_full', 1);
    if (error instanceof BrokenCircuitError) return this.rules.ended('circuit_open', this.#pause.leftSeconds());
    return error instanceof AbandonedCall ? this.errorOf(error.reason) : error;
  }

  /** Call it only while the circuit is not closed. */
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
 * A call that its caller gave up, that was not sent, or that threw for another reason: nobody knows what the answer would have
 * been. The trial call of a half-open circuit must not close it then, which cockatiel does for any error that is not a failure.
 */
class AbandonedCall extends Error {
  constructor(
    readonly reason: unknown,
    readonly isTrial: boolean,
  ) {
    super();
  }
}

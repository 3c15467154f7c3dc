/** CallPolicy: how many calls of one kind may run and wait, what is tried again, and when no more are made for a while. */
import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState as BreakerState,
  ConsecutiveBreaker,
  DelegateBackoff,
  handleWhen,
  retry,
  type CircuitBreakerPolicy,
  type IRetryBackoffContext,
  type RetryPolicy,
} from 'cockatiel';
import { abortable } from '../caching/abortable.js';
import type { Clock } from '../caching/clock.js';
import { Refusal } from '../protocol/refusal.js';
import { Bulkhead, NoSlotError } from './bulkhead.js';
import type { CallRules } from './call-rules.js';
import { CircuitPause } from './circuit-pause.js';
import { RetryBudget } from './retry-budget.js';

export interface CallPolicyOptions {
  /** Bound on a call as its caller sees it: waiting, every try and the pauses between them. */
  readonly timeoutMs: number;
  readonly maxConcurrentCalls: number;
  readonly maxQueuedCalls: number;
  readonly maxRetries: number;
  readonly circuitBreakerFailures: number;
  readonly circuitBreakerPauseMs: number;
}

export type CircuitState = 'open' | 'half-open' | 'closed';

export interface RunOptions {
  /** Whether the call is safe to make twice. Default true. */
  readonly repeat?: boolean;
  /** Ends the call as its time does, but says nothing of the other side. */
  readonly signal?: AbortSignal | undefined;
}

/** The part of its time that a call may wait before it is sent. */
const MAX_WAIT_FRACTION = 0.5;

/** Full jitter: each retry after a random part of 100, 200, 400 … ms. */
const RETRY_BASE_MS = 100;

/**
 * A bulkhead with a bounded queue, retries with full jitter within a budget, and a circuit breaker that lets one call
 * through after its pause and closes when that succeeds. `Retry-After` is honoured by both: a retry waits at least so
 * long (or is not made, when that takes half of the time there is), and so does an open circuit.
 */
export class CallPolicy<Answer = unknown> {
  readonly #retries: RetryPolicy;
  readonly #bulkhead: Bulkhead;
  readonly #breaker: CircuitBreakerPolicy;
  readonly #failuresInARow: ConsecutiveBreaker;
  readonly #budget = new RetryBudget();
  readonly #pause: CircuitPause;
  readonly #timeoutMs: number;
  readonly #maxWaitMs: number;

  constructor(
    options: CallPolicyOptions,
    private readonly rules: CallRules<Answer>,
    private readonly clock: Clock,
    onCircuit: (state: CircuitState) => void = () => undefined,
  ) {
    this.#timeoutMs = options.timeoutMs;
    this.#maxWaitMs = options.timeoutMs * MAX_WAIT_FRACTION;
    this.#pause = new CircuitPause(clock, options.circuitBreakerPauseMs, (outcome) =>
      rules.retryAfterMs(outcome as Error | Answer),
    );
    this.#bulkhead = new Bulkhead(options.maxConcurrentCalls, options.maxQueuedCalls);
    const failures = handleWhen((error) => (error instanceof AbandonedCall ? error.isTrial : rules.isFailure(error)));
    this.#failuresInARow = new ConsecutiveBreaker(options.circuitBreakerFailures);
    const { isFailedAnswer } = rules;
    const outcomes =
      isFailedAnswer === undefined ? failures : failures.orWhenResult((answer) => isFailedAnswer(answer as Answer));
    this.#breaker = circuitBreaker(outcomes, {
      breaker: this.#failuresInARow,
      halfOpenAfter: this.#pause,
    });
    this.#breaker.onStateChange((state) => onCircuit(CIRCUIT_STATES[state]));
    this.#retries = retry(
      handleWhen((error) => this.#mayBeRepeated(error)),
      {
        maxAttempts: options.maxRetries,
        backoff: new DelegateBackoff<IRetryBackoffContext<unknown>>(({ attempt, result }) =>
          Math.max(
            'error' in result ? rules.retryAfterMs(result.error) : 0,
            Math.random() * RETRY_BASE_MS * 2 ** (attempt - 1),
          ),
        ),
      },
    );
  }

  /**
   * `prepare` finds out what the call needs: within the same deadline, but once and in no slot of the bulkhead.
   *
   * Throws what the two throw, and the error of the rules when the call was not made or took too long.
   */
  async run<P, T extends Answer>(
    prepare: () => Promise<P>,
    call: (prepared: P, signal: AbortSignal) => Promise<T>,
    { repeat = true, signal }: RunOptions = {},
  ): Promise<T> {
    const sinceMs = this.clock.monotonicMs();
    // Ended with the call: one of `AbortSignal.timeout` goes off for every call, long after most of them.
    const controller = new AbortController();
    const end = (): void => controller.abort(this.rules.ended('timeout'));
    if (signal?.aborted === true) end();
    signal?.addEventListener('abort', end);
    const timer = setTimeout(end, this.#timeoutMs).unref();
    const deadline = controller.signal;
    const work = async (): Promise<T> => {
      const prepared = await prepare();
      deadline.throwIfAborted();
      this.#budget.deposit();
      return this.#execute(async () => call(prepared, deadline), sinceMs, deadline, { repeat, signal });
    };
    try {
      return await abortable(work(), deadline);
    } catch (error) {
      // What a call throws that ended with its time is of no use; nor is what cockatiel does then.
      if (deadline.aborted && !(error instanceof Refusal)) throw this.rules.ended('timeout');
      throw this.#told(error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
    }
  }

  /**
   * For a call that keeps its time itself (it is told how much is left), that is not made twice, and that nobody should wait
   * for while the circuit is open: while one call tries whether the other side is back, all others fail at once.
   *
   * Throws what the call throws, the error of the rules when it was not made, and the reason of `signal` when that aborted.
   */
  async once<T extends Answer>(call: (leftMs: number) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      this.#checkCircuit();
      const entering = this.#bulkhead.enter(this.#maxWaitMs, signal);
      if (entering === undefined) return await this.#inside(async () => call(this.#timeoutMs), signal);
      const sinceMs = this.clock.monotonicMs();
      await entering;
      return await this.#inside(async () => call(this.#timeoutMs - (this.clock.monotonicMs() - sinceMs)), signal);
    } catch (error) {
      throw this.#told(error);
    }
  }

  /** In a slot, which is given back. */
  async #inside<T>(call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      // Of those who waited too.
      this.#checkCircuit();
      signal?.throwIfAborted();
      if (this.#breaker.state === BreakerState.Closed) return await this.#breaker.execute(call);
      return await this.#breaker.execute(async () => {
        try {
          return await call();
        } catch (error) {
          throw signal?.aborted === true || !(error instanceof Refusal) ? new AbandonedCall(error, true) : error;
        }
      });
    } catch (error) {
      this.#noteLife(error);
      throw error;
    } finally {
      this.#bulkhead.leave();
    }
  }

  #checkCircuit(): void {
    const { state } = this.#breaker;
    if (state === BreakerState.Closed || (state === BreakerState.Open && this.#pause.isOver)) return;
    throw new BrokenCircuitError();
  }

  /**
   * The breaker inside the bulkhead: when it opens, what waits in the queue fails at once instead of being sent. A call
   * is only sent with half of its time left: with less it would end in a time-out of its own making, which the breaker
   * would take for a failure of the server.
   */
  async #execute<T>(
    call: () => Promise<T>,
    sinceMs: number,
    deadline: AbortSignal,
    { repeat, signal }: RunOptions,
  ): Promise<T> {
    let failure: unknown;
    const waitLeftMs = (): number => {
      const leftMs = this.#maxWaitMs - (this.clock.monotonicMs() - sinceMs);
      if (leftMs < 0) throw failure ?? new NoSlotError();
      return leftMs;
    };
    const attempt = async (): Promise<T> => {
      try {
        await this.#bulkhead.enter(waitLeftMs(), deadline);
      } catch (error) {
        throw error instanceof NoSlotError ? (failure ?? error) : error;
      }
      try {
        return await this.#breaker.execute(async () => {
          const isTrial = this.#breaker.state !== BreakerState.Closed;
          let isSent = false;
          try {
            // While another call tried whether the server is back, time has passed.
            waitLeftMs();
            isSent = true;
            return await call();
          } catch (error) {
            const isAnswer = isSent && signal?.aborted !== true && error instanceof Refusal;
            throw isAnswer ? error : new AbandonedCall(error, isTrial);
          }
        });
      } catch (error) {
        this.#noteLife(error);
        failure = error;
        throw error;
      } finally {
        this.#bulkhead.leave();
      }
    };
    return repeat === true ? this.#retries.execute(attempt, deadline) : attempt();
  }

  /** An error that is no failure was an answer, and ends a row of failures; cockatiel would count on. */
  #noteLife(error: unknown): void {
    if (error instanceof Refusal && !this.rules.isFailure(error)) this.#failuresInARow.success();
  }

  #mayBeRepeated(error: Error): boolean {
    if (!this.rules.isFailure(error) || !this.rules.isPassing(error)) return false;
    return this.rules.retryAfterMs(error) < this.#maxWaitMs && this.#budget.withdraw();
  }

  #told(error: unknown): unknown {
    if (error instanceof NoSlotError) return this.rules.ended('queue_full', 1);
    if (error instanceof BrokenCircuitError) return this.rules.ended('circuit_open', this.#pause.leftSeconds());
    return error instanceof AbandonedCall ? this.#told(error.reason) : error;
  }
}

const CIRCUIT_STATES = {
  [BreakerState.Closed]: 'closed',
  [BreakerState.Open]: 'open',
  [BreakerState.HalfOpen]: 'half-open',
  [BreakerState.Isolated]: 'open',
} as const;

/**
 * A call that its caller ended, or that was not sent or threw for another reason: nobody knows what the answer would have been. The one call of
 * a half-open circuit must not close it then, which cockatiel does for any error that is no failure.
 */
class AbandonedCall extends Error {
  constructor(
    readonly reason: unknown,
    readonly isTrial: boolean,
  ) {
    super();
  }
}

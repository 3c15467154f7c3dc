/** CallPolicy: how many calls of one kind may run and wait, what is tried again, and when no more are made for a while. */
import {
  bulkhead,
  BrokenCircuitError,
  BulkheadRejectedError,
  circuitBreaker,
  CircuitState as BreakerState,
  ConsecutiveBreaker,
  DelegateBackoff,
  handleWhen,
  retry,
  TaskCancelledError,
  type BulkheadPolicy,
  type CircuitBreakerPolicy,
  type IRetryBackoffContext,
  type RetryPolicy,
} from 'cockatiel';
import { abortable } from '../caching/abortable.js';
import type { Clock } from '../caching/clock.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import { CircuitPause } from './circuit-pause.js';
import { retryAfterMs } from './retry-after.js';
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

/** The part of its time that a call may wait before it is sent. */
const PATIENCE = 0.5;

/** Full jitter: each retry after a random part of 100, 200, 400 … ms. */
const RETRY_BASE_MS = 100;

/**
 * A bulkhead with a bounded queue, retries with full jitter within a budget, and a circuit breaker that lets one call
 * through after its pause and closes when that succeeds. `Retry-After` is honoured by both: a retry waits at least so
 * long (or is not made, when that takes half of the time there is), and so does an open circuit.
 *
 * What is called must be safe to repeat. Introspection and discovery only read; of a token that was issued twice, one is
 * never used.
 */
export class CallPolicy {
  readonly #retries: RetryPolicy;
  readonly #bulkhead: BulkheadPolicy;
  readonly #breaker: CircuitBreakerPolicy;
  readonly #budget = new RetryBudget();
  readonly #pause: CircuitPause;
  readonly #timeoutMs: number;

  constructor(
    options: CallPolicyOptions,
    private readonly clock: Clock,
    onCircuit: (state: CircuitState) => void = () => undefined,
  ) {
    this.#timeoutMs = options.timeoutMs;
    this.#pause = new CircuitPause(clock, options.circuitBreakerPauseMs);
    this.#bulkhead = bulkhead(options.maxConcurrentCalls, options.maxQueuedCalls);
    this.#breaker = circuitBreaker(handleWhen(isFailureOfServer), {
      breaker: new ConsecutiveBreaker(options.circuitBreakerFailures),
      halfOpenAfter: this.#pause,
    });
    this.#breaker.onStateChange((state) => onCircuit(CIRCUIT_STATES[state]));
    this.#retries = retry(
      handleWhen((error) => this.#mayBeRepeated(error)),
      {
        maxAttempts: options.maxRetries,
        backoff: new DelegateBackoff<IRetryBackoffContext<unknown>>(({ attempt, result }) =>
          Math.max(
            retryAfterMs('error' in result ? result.error : undefined),
            Math.random() * RETRY_BASE_MS * 2 ** (attempt - 1),
          ),
        ),
      },
    );
  }

  /**
   * `prepare` finds out what the call needs: within the same deadline, but once and in no slot of the bulkhead.
   *
   * Throws what the two throw, and `authorization_server_unavailable` when the call was not made or took too long.
   */
  async run<P, T>(prepare: () => Promise<P>, call: (prepared: P, signal: AbortSignal) => Promise<T>): Promise<T> {
    const sinceMs = this.clock.monotonicMs();
    // Ended with the call: one of `AbortSignal.timeout` goes off for every call, long after most of them.
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(unavailable('timeout')), this.#timeoutMs).unref();
    const deadline = controller.signal;
    const work = async (): Promise<T> => {
      const prepared = await prepare();
      this.#budget.deposit();
      return this.#execute(async () => call(prepared, deadline), sinceMs, deadline);
    };
    try {
      return await abortable(work(), deadline);
    } catch (error) {
      if (error instanceof AuthorizationServerError) throw error;
      if (deadline.aborted || error instanceof TaskCancelledError) throw unavailable('timeout');
      if (error instanceof BulkheadRejectedError) throw unavailable('queue_full', 1);
      if (error instanceof OutOfPatienceError) throw unavailable('queue_full', 1);
      if (error instanceof BrokenCircuitError) throw unavailable('circuit_open', this.#pause.leftSeconds());
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * The breaker inside the bulkhead: when it opens, what waits in the queue fails at once instead of being sent. A call
   * is only sent with half of its time left: with less it would end in a time-out of its own making, which the breaker
   * would take for a failure of the server.
   */
  async #execute<T>(call: () => Promise<T>, sinceMs: number, deadline: AbortSignal): Promise<T> {
    let failure: unknown;
    const checkPatience = (): void => {
      if (this.clock.monotonicMs() - sinceMs > this.#timeoutMs * PATIENCE) throw failure ?? new OutOfPatienceError();
    };
    const attempt = async (): Promise<T> => {
      checkPatience();
      return this.#breaker.execute(async () => {
        // While another call tried whether the server is back, time has passed.
        checkPatience();
        return call();
      });
    };
    return this.#retries.execute(async () => {
      try {
        return await this.#bulkhead.execute(attempt, deadline);
      } catch (error) {
        failure = error;
        throw error;
      }
    }, deadline);
  }

  #mayBeRepeated(error: Error): boolean {
    if (!isFailureOfServer(error) || NOT_REPEATED.has(error.reason)) return false;
    return retryAfterMs(error) < this.#timeoutMs * PATIENCE && this.#budget.withdraw();
  }
}

const CIRCUIT_STATES = {
  [BreakerState.Closed]: 'closed',
  [BreakerState.Open]: 'open',
  [BreakerState.HalfOpen]: 'half-open',
  [BreakerState.Isolated]: 'open',
} as const;

/** The deadline has passed, or the server answered in full and would do so again. */
const NOT_REPEATED: ReadonlySet<AuthorizationServerErrorReason> = new Set([
  'timeout',
  'answer_too_large',
  'answer_not_json',
  'answer_not_strict_json',
  'nonsense_answer',
]);

/** Waited too long to be sent. It says nothing of the server. */
class OutOfPatienceError extends Error {}

/** Of the server's failures, not of what it refuses: a wrong secret or a bad scope says that it is well. */
function isFailureOfServer(error: Error): error is AuthorizationServerError {
  return error instanceof AuthorizationServerError && error.code === 'authorization_server_unavailable';
}

function unavailable(reason: AuthorizationServerErrorReason, retryAfterSeconds?: number): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_unavailable', {
    reason,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

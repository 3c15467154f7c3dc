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
  wrap,
  type IBackoff,
  type IBackoffFactory,
  type IPolicy,
} from 'cockatiel';
import { abortable } from '../caching/abortable.js';
import type { Clock } from '../caching/clock.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
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

/** However long a `Retry-After` is: whoever sent it may be wrong, and all uncached requests fail meanwhile. */
const MAX_PAUSE_MS = 30_000;

/** Full jitter: each retry after a random part of 100, 200, 400 … ms. */
const RETRY_BASE_MS = 100;

/**
 * A bulkhead with a bounded queue, retries with full jitter within a budget, and a circuit breaker that lets one call
 * through after its pause and closes when that succeeds. `Retry-After` is honoured by both: a retry waits at least so
 * long (or is not made, when that is past the deadline), and so does an open circuit.
 *
 * What is called must be safe to repeat. Introspection and discovery only read; of a token that was issued twice, one is
 * never used.
 */
export class CallPolicy {
  readonly #policy: IPolicy;
  readonly #budget = new RetryBudget();
  readonly #pause: MonotonicPause;
  readonly #timeoutMs: number;

  constructor(options: CallPolicyOptions, clock: Clock, onCircuit: (state: CircuitState) => void = () => undefined) {
    this.#timeoutMs = options.timeoutMs;
    this.#pause = new MonotonicPause(clock, options.circuitBreakerPauseMs);
    const breaker = circuitBreaker(handleWhen(isFailureOfServer), {
      breaker: new ConsecutiveBreaker(options.circuitBreakerFailures),
      halfOpenAfter: this.#pause,
    });
    breaker.onStateChange((state) => onCircuit(CIRCUIT_STATES[state]));
    const retries = retry(
      handleWhen((error) => this.#mayBeRepeated(error)),
      {
        maxAttempts: options.maxRetries,
        backoff: new DelegateBackoff<{ attempt: number; result: object }>(({ attempt, result }) =>
          Math.max(retryAfterMs(result), Math.random() * RETRY_BASE_MS * 2 ** (attempt - 1)),
        ),
      },
    );
    // The breaker inside the bulkhead: when it opens, what waits in the queue fails at once instead of being sent.
    this.#policy = wrap(retries, bulkhead(options.maxConcurrentCalls, options.maxQueuedCalls), breaker);
  }

  /**
   * `prepare` finds out what the call needs: within the same deadline, but once and in no slot of the bulkhead.
   *
   * Throws what the two throw, and `authorization_server_unavailable` when the call was not made or took too long.
   */
  async run<P, T>(prepare: () => Promise<P>, call: (prepared: P, signal: AbortSignal) => Promise<T>): Promise<T> {
    const deadline = AbortSignal.timeout(this.#timeoutMs);
    const work = async (): Promise<T> => {
      const prepared = await prepare();
      this.#budget.deposit();
      return this.#policy.execute(async () => call(prepared, deadline), deadline);
    };
    try {
      return await abortable(work(), deadline);
    } catch (error) {
      if (deadline.aborted && !(error instanceof AuthorizationServerError)) throw unavailable('timeout');
      if (error instanceof TaskCancelledError) throw unavailable('timeout');
      if (error instanceof BulkheadRejectedError) throw unavailable('queue_full', 1);
      if (error instanceof BrokenCircuitError) throw unavailable('circuit_open', this.#pause.leftSeconds());
      throw error;
    }
  }

  #mayBeRepeated(error: Error): boolean {
    if (!isFailureOfServer(error) || NOT_REPEATED.has(error.reason)) return false;
    return retryAfterMs({ error }) < this.#timeoutMs && this.#budget.withdraw();
  }
}

const CIRCUIT_STATES = {
  [BreakerState.Closed]: 'closed',
  [BreakerState.Open]: 'open',
  [BreakerState.HalfOpen]: 'half-open',
  [BreakerState.Isolated]: 'open',
} as const;

/** The deadline has passed, or the server answered in full and would do so again. */
const NOT_REPEATED: ReadonlySet<string> = new Set([
  'timeout',
  'answer_too_large',
  'answer_not_json',
  'answer_not_strict_json',
  'nonsense_answer',
]);

/** Of the server's failures, not of what it refuses: a wrong secret or a bad scope says that it is well. */
function isFailureOfServer(error: Error): error is AuthorizationServerError {
  return error instanceof AuthorizationServerError && error.code === 'authorization_server_unavailable';
}

function retryAfterMs(failure: object): number {
  const { error } = failure as { readonly error?: unknown };
  return error instanceof AuthorizationServerError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
}

function unavailable(reason: string, retryAfterSeconds?: number): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_unavailable', {
    reason,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/**
 * The breaker's pause, at least as long as the server's `Retry-After`. The breaker compares a duration with the wall
 * clock, which may be set back; this one answers by the monotonic clock: endless until the pause is over, then none.
 */
class MonotonicPause implements IBackoffFactory<object>, IBackoff<object> {
  #untilMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly pauseMs: number,
  ) {}

  next(context: object): this {
    const { result = {} } = context as { readonly result?: object };
    const askedFor = Math.min(retryAfterMs(result), MAX_PAUSE_MS);
    this.#untilMs = this.clock.monotonicMs() + Math.max(this.pauseMs, askedFor);
    return this;
  }

  get duration(): number {
    return this.clock.monotonicMs() < this.#untilMs ? Infinity : -Infinity;
  }

  leftSeconds(): number {
    return Math.max(1, Math.ceil((this.#untilMs - this.clock.monotonicMs()) / 1000));
  }
}

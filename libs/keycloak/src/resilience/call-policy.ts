/** CallPolicy: one deadline for a call and all its tries, which go through the gate of their kind. */
import { DelegateBackoff, handleWhen, retry, type IRetryBackoffContext, type RetryPolicy } from 'cockatiel';
import { abortable } from '../caching/abortable.js';
import { letManyListen } from '../caching/shared-signal.js';
import type { Clock } from '../caching/clock.js';
import { TimeLimit } from '../caching/time-limit.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import { NoSlotError } from './bulkhead.js';
import { CallGate, type CallGateOptions, type CallsState, type CircuitState } from './call-gate.js';
import type { CallRules } from './call-rules.js';
import { RetryBudget } from './retry-budget.js';

export interface CallPolicyOptions extends CallGateOptions {
  /** Bound on a call as its caller sees it: waiting, every try and the pauses between them. */
  readonly timeoutMs: number;
  readonly maxRetries: number;
}

export interface RunOptions {
  /** Whether the call is safe to make twice. Default true. */
  readonly repeat?: boolean;
  /** Ends the call as its time does, but says nothing of the other side. */
  readonly signal?: AbortSignal | undefined;
}

/** The part of its time that a call may wait before it is sent. */
export const MAX_WAIT_FRACTION = 0.5;

/** Full jitter: each retry after a random part of 100, 200, 400 … ms. */
const RETRY_BASE_MS = 100;

/**
 * Retries with full jitter within a budget, each through the gate. `Retry-After` is honoured by both: a retry waits at least so
 * long (or is not made, when that takes half of the time there is), and so does an open circuit.
 */
export class CallPolicy {
  readonly #gate: CallGate;
  readonly #retries: RetryPolicy;
  readonly #budget = new RetryBudget();
  readonly #timeoutMs: number;
  readonly #maxWaitMs: number;

  constructor(
    options: CallPolicyOptions,
    private readonly rules: CallRules,
    private readonly clock: Clock,
    onCircuit?: (state: CircuitState) => void,
  ) {
    this.#timeoutMs = options.timeoutMs;
    this.#maxWaitMs = options.timeoutMs * MAX_WAIT_FRACTION;
    this.#gate = new CallGate(options, rules, clock, onCircuit);
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

  get state(): CallsState {
    return this.#gate.state;
  }

  /**
   * `prepare` finds out what the call needs: within the same deadline, but once and in no slot of the bulkhead.
   *
   * Throws what the two throw, and the error of the rules when the call was not made or took too long.
   */
  async run<P, T>(
    prepare: () => Promise<P>,
    call: (prepared: P, signal: AbortSignal) => Promise<T>,
    { repeat = true, signal }: RunOptions = {},
  ): Promise<T> {
    const sinceMs = this.clock.monotonicMs();
    // Ended with the call: one of `AbortSignal.timeout` goes off for every call, long after most of them.
    const controller = new AbortController();
    const end = (): void => controller.abort(this.rules.ended('timeout'));
    if (signal?.aborted === true) end();
    letManyListen(signal);
    signal?.addEventListener('abort', end);
    const limit = new TimeLimit(this.#timeoutMs, end).unref();
    const deadline = controller.signal;
    const isGivenUp = (): boolean => signal?.aborted === true;
    const work = async (): Promise<T> => {
      const prepared = await prepare();
      deadline.throwIfAborted();
      this.#budget.deposit();
      const attempt = this.#attemptOf(async () => call(prepared, deadline), sinceMs, deadline, isGivenUp);
      return repeat ? this.#retries.execute(attempt, deadline) : attempt();
    };
    try {
      return await abortable(work(), deadline);
    } catch (error) {
      // What a call throws that ended with its time is of no use; nor is what cockatiel does then.
      if (deadline.aborted && !(error instanceof KeycloakException)) throw this.rules.ended('timeout');
      throw this.#gate.errorOf(error);
    } finally {
      limit.clear();
      signal?.removeEventListener('abort', end);
    }
  }

  /**
   * A try is only sent with half of the time left: with less it would end in a time-out of its own making, which the breaker
   * would take for a failure of the server. What is not sent for that ends with the failure of the try before it.
   */
  #attemptOf<T>(
    call: () => Promise<T>,
    sinceMs: number,
    signal: AbortSignal,
    isGivenUp: () => boolean,
  ): () => Promise<T> {
    let failure: unknown;
    const leftMs = (): number => {
      const waitLeftMs = this.#maxWaitMs - (this.clock.monotonicMs() - sinceMs);
      if (waitLeftMs < 0) throw failure ?? new NoSlotError();
      return waitLeftMs;
    };
    return async () => {
      try {
        return await this.#gate.pass(call, { leftMs, signal, isGivenUp });
      } catch (error) {
        failure = error instanceof NoSlotError ? (failure ?? error) : error;
        throw failure;
      }
    };
  }

  #mayBeRepeated(error: Error): boolean {
    if (!this.rules.isFailure(error) || !this.rules.isPassing(error)) return false;
    return this.rules.retryAfterMs(error) < this.#maxWaitMs && this.#budget.withdraw();
  }
}

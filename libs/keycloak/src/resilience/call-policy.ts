import { abortable } from '../caching/abortable.js';
import { letManyListen } from '../caching/shared-signal.js';
import type { Clock } from '../caching/clock.js';
import { TimeLimit } from '../caching/time-limit.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import { NoSlotError } from './bulkhead.js';
import { CircuitOpenError } from './circuit-breaker.js';
import { CallGate, type CallGateOptions, type CallsState, type CircuitState } from './call-gate.js';
import type { CallRules } from './call-rules.js';
import { RetryBudget } from './retry-budget.js';

export interface CallPolicyOptions extends CallGateOptions {
  readonly timeoutMs: number;
  readonly maxRetries: number;
}

export interface RunOptions {
  /** Default true. */
  readonly repeat?: boolean;
  /** Aborts the call, and does not count as a failure of the called service. */
  readonly signal?: AbortSignal | undefined;
}

/** The maximum wait of a call before it is sent, as a fraction of the time-out. */
export const MAX_WAIT_FRACTION = 0.5;

/** Before each retry, a call waits for a random part of 100, 200, 400 … ms (full jitter). */
const RETRY_BASE_MS = 100;

/** A call is not retried if the time in `Retry-After` is half of the time-out or longer. */
export class CallPolicy {
  readonly #gate: CallGate;
  readonly #budget = new RetryBudget();
  readonly #maxRetries: number;
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
    this.#maxRetries = options.maxRetries;
  }

  get state(): CallsState {
    return this.#gate.state;
  }

  /** Runs `prepare` and `call` under one deadline; `prepare` takes no slot of the bulkhead. */
  async run<P, T>(
    prepare: () => Promise<P>,
    call: (prepared: P, signal: AbortSignal) => Promise<T>,
    { repeat = true, signal }: RunOptions = {},
  ): Promise<T> {
    const sinceMs = this.clock.monotonicMs();
    // `AbortSignal.timeout` is not used, because its timer outlives the call.
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
      return repeat ? this.#retried(attempt, deadline) : attempt();
    };
    try {
      return await abortable(work(), deadline);
    } catch (error) {
      // After the deadline, an error that is not a `KeycloakException` is only a consequence of the abort.
      if (deadline.aborted && !(error instanceof KeycloakException)) throw this.rules.ended('timeout');
      throw this.#gate.errorOf(error);
    } finally {
      limit.clear();
      signal?.removeEventListener('abort', end);
    }
  }

  /** Starts no attempt in the second half of the time-out, because the attempt could time out at a healthy server. */
  #attemptOf<T>(
    call: () => Promise<T>,
    sinceMs: number,
    signal: AbortSignal,
    isGivenUp: () => boolean,
  ): () => Promise<T> {
    const leftMs = (): number => {
      const waitLeftMs = this.#maxWaitMs - (this.clock.monotonicMs() - sinceMs);
      if (waitLeftMs < 0) throw new NoSlotError();
      return waitLeftMs;
    };
    return () => this.#gate.pass(call, { leftMs, signal, isGivenUp });
  }

  async #retried<T>(attempt: () => Promise<T>, deadline: AbortSignal): Promise<T> {
    let failure: unknown;
    for (let retries = 0; ; retries += 1) {
      try {
        return await attempt();
      } catch (error) {
        // A retry that found no slot or an open circuit was not sent, so the call ends with the failure before it.
        if (error instanceof NoSlotError || error instanceof CircuitOpenError) throw failure ?? error;
        failure = error;
        if (deadline.aborted || retries === this.#maxRetries || !this.#mayBeRepeated(error as Error)) throw error;
        const jitterMs = Math.random() * RETRY_BASE_MS * 2 ** retries;
        await sleep(Math.max(this.rules.retryAfterMs(error as Error), jitterMs));
      }
    }
  }

  #mayBeRepeated(error: Error): boolean {
    if (!this.rules.isFailure(error) || !this.rules.isPassing(error)) return false;
    return this.rules.retryAfterMs(error) < this.#maxWaitMs && this.#budget.withdraw();
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

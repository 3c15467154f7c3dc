import type { Clock } from '../caching/clock.js';

export type CircuitState = 'open' | 'half-open' | 'closed';

/**
 * `harmless`: the called service answered, so it works. `unknown`: the service had no chance to answer. An object: the
 * call failed, and the called service accepts no calls for `retryAfterMs`.
 */
export type Outcome = 'harmless' | 'unknown' | { readonly retryAfterMs: number };

export interface CircuitBreakerOptions {
  readonly circuitBreakerFailures: number;
  readonly circuitBreakerPauseMs: number;
  /** A trial call may take longer than twice this time, but then another call becomes the trial call. */
  readonly timeoutMs: number;
}

/** Limits the effect of a wrong `Retry-After`, because all uncached requests fail during the pause. */
const MAX_PAUSE_MS = 30_000;

export class CircuitOpenError extends Error {}

interface Trial {
  readonly ended: Promise<unknown>;
  readonly untilMs: number;
}

/**
 * After the pause of an open circuit, one trial call decides whether the circuit closes. Other calls wait for the end
 * of the trial call, at most for twice `timeoutMs`. A trial call that times out ends earlier.
 */
export class CircuitBreaker {
  #failures = 0;
  #opened = 0;
  #openUntilMs: number | undefined;
  #trial: Trial | undefined;

  constructor(
    private readonly options: CircuitBreakerOptions,
    private readonly clock: Clock,
    private readonly onState: (state: CircuitState) => void,
  ) {}

  get state(): CircuitState {
    if (this.#openUntilMs === undefined) return 'closed';
    return this.#trial === undefined && this.#leftMs() > 0 ? 'open' : 'half-open';
  }

  get isSuspended(): boolean {
    return this.#openUntilMs !== undefined && (this.#running() !== undefined || this.#leftMs() > 0);
  }

  leftSeconds(): number {
    return Math.max(1, Math.ceil(this.#leftMs() / 1000));
  }

  /** @throws {CircuitOpenError} During the pause. */
  async run<T>(call: () => Promise<T>, outcomeOf: OutcomeOf<T>): Promise<T> {
    for (let trial = this.#running(); trial !== undefined; trial = this.#running()) await trial.ended;
    if (this.#openUntilMs === undefined) return this.#counted(call, outcomeOf);
    if (this.#leftMs() > 0) throw new CircuitOpenError();
    const settling = settle(call());
    const trial = { ended: settling, untilMs: this.clock.monotonicMs() + 2 * this.options.timeoutMs };
    this.#trial = trial;
    this.onState('half-open');
    return this.#tried(trial, settling, outcomeOf);
  }

  async #counted<T>(call: () => Promise<T>, outcomeOf: OutcomeOf<T>): Promise<T> {
    const opened = this.#opened;
    const settled = await settle(call());
    this.note(outcomeOf(settled), opened);
    return returned(settled);
  }

  /** Ignores the call if the circuit has opened after the call began, because the result is outdated. */
  note(outcome: Outcome, opened: number): void {
    if (this.#opened !== opened) return;
    if (outcome === 'harmless') this.#failures = 0;
    else if (outcome !== 'unknown') this.#count(outcome.retryAfterMs);
  }

  async #tried<T>(trial: Trial, settling: Promise<Settled<T>>, outcomeOf: OutcomeOf<T>): Promise<T> {
    const settled = await settling;
    let outcome: Outcome = 'unknown';
    try {
      outcome = outcomeOf(settled);
    } finally {
      this.#end(trial, outcome);
    }
    return returned(settled);
  }

  /** Ignores the failure of a trial call if another trial call has begun since. */
  #end(trial: Trial, outcome: Outcome): void {
    const isLatest = this.#trial === trial;
    if (isLatest) this.#trial = undefined;
    if (this.#openUntilMs === undefined) return;
    if (outcome === 'harmless') this.#close();
    else if (isLatest) this.#open(outcome === 'unknown' ? 0 : outcome.retryAfterMs);
  }

  /** The trial call for which other calls wait. */
  #running(): Trial | undefined {
    return this.#trial !== undefined && this.clock.monotonicMs() < this.#trial.untilMs ? this.#trial : undefined;
  }

  #count(retryAfterMs: number): void {
    this.#failures += 1;
    if (this.#failures >= this.options.circuitBreakerFailures) this.#open(retryAfterMs);
  }

  #open(retryAfterMs: number): void {
    const pauseMs = Math.max(this.options.circuitBreakerPauseMs, Math.min(retryAfterMs, MAX_PAUSE_MS));
    this.#openUntilMs = this.clock.monotonicMs() + pauseMs;
    this.#opened += 1;
    this.onState('open');
  }

  #close(): void {
    this.#openUntilMs = undefined;
    // A superseded trial call can close the circuit, and then nobody waits for the latest.
    this.#trial = undefined;
    this.#failures = 0;
    this.onState('closed');
  }

  #leftMs(): number {
    return (this.#openUntilMs ?? 0) - this.clock.monotonicMs();
  }
}

export type Settled<T> = { readonly answer: T } | { readonly error: unknown };

type OutcomeOf<T> = (settled: Settled<T>) => Outcome;

const settle = <T>(call: Promise<T>): Promise<Settled<T>> =>
  call.then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );

function returned<T>(settled: Settled<T>): T {
  if ('error' in settled) throw settled.error;
  return settled.answer;
}

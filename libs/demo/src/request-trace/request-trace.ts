/** RequestTrace: what happened for one request, in order, until it is over. */
import { MOST_METRICS, type TraceMetric } from './server-timing.js';

/** A call that is under way; its place is where it began. */
export interface TracedCall {
  /** `next` are the metrics of the service that was called. */
  answered(status: number, next: readonly TraceMetric[]): void;
  failed(): void;
}

interface Entry {
  readonly metric: TraceMetric;
  readonly next: readonly TraceMetric[];
}

/** Of the steps of this service; with its total, and something of what the next services tell, they make one answer. */
const MOST_ENTRIES = 24;

export class RequestTrace {
  readonly #entries: Entry[] = [];
  readonly #startMs: number;
  #ended: readonly TraceMetric[] | undefined;

  constructor(
    readonly traceId: string,
    /** Whose request it is. */
    readonly service: string,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.#startMs = nowMs();
  }

  get isOver(): boolean {
    return this.#ended !== undefined;
  }

  add(metric: Omit<TraceMetric, 'service'>): void {
    this.#put(this.#entries.length, { ...metric, service: this.service });
  }

  /** Until it is answered or fails, nothing is known of how long it takes. */
  call(service: string): TracedCall {
    const at = this.#entries.length;
    const beganMs = this.nowMs();
    const metric = (outcome: number | 'failed'): TraceMetric => ({
      service: this.service,
      step: 'call',
      description: `${service} ${outcome}`,
    });
    const over = (outcome: number | 'failed', next: readonly TraceMetric[] = []): void =>
      this.#put(at, { ...metric(outcome), durationMs: this.nowMs() - beganMs }, next);
    this.#put(at, metric('failed'));
    let isAnswered = false;
    return {
      answered(status, next) {
        isAnswered = true;
        over(status, next);
      },
      // An answer that breaks off has come all the same, with what it told of its steps.
      failed() {
        if (!isAnswered) over('failed');
      },
    };
  }

  /** All that happened until now, with the total; nothing is added from then on, so it is the same each time. */
  end(): readonly TraceMetric[] {
    this.#ended ??= [
      ...this.#steps(),
      { service: this.service, step: 'total', durationMs: this.nowMs() - this.#startMs },
    ];
    return this.#ended;
  }

  /** What is too much is left out of what next services tell: no list of theirs pushes out a step of this one. */
  #steps(): TraceMetric[] {
    let room = MOST_METRICS - 1 - this.#entries.length;
    return this.#entries.flatMap(({ metric, next }) => {
      const told = next.slice(0, room);
      room -= told.length;
      return [metric, ...told];
    });
  }

  #put(at: number, metric: TraceMetric, next: readonly TraceMetric[] = []): void {
    if (!this.isOver && at < MOST_ENTRIES) this.#entries[at] = { metric, next };
  }
}

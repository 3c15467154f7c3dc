import { MAX_METRICS, type TraceMetric } from './server-timing.js';

export interface TracedCall {
  answered(status: number, next: readonly TraceMetric[]): void;
  failed(): void;
}

interface Entry {
  readonly metric: TraceMetric;
  readonly next: readonly TraceMetric[];
}

const MAX_ENTRIES = 24;

export class RequestTrace {
  readonly #entries: Entry[] = [];
  readonly #startMs: number;
  #ended: readonly TraceMetric[] | undefined;

  constructor(
    readonly traceId: string,
    readonly service: string,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.#startMs = nowMs();
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  add(metric: Omit<TraceMetric, 'service'>): void {
    this.#put(this.#entries.length, { ...metric, service: this.service });
  }

  /** A call without an answer counts as failed and has no duration. */
  call(service: string): TracedCall {
    const at = this.#entries.length;
    const beganMs = this.nowMs();
    const metric = (outcome: number | 'failed'): TraceMetric => ({
      service: this.service,
      step: 'call',
      description: `${service} ${outcome}`,
    });
    const finish = (outcome: number | 'failed', next: readonly TraceMetric[] = []): void =>
      this.#put(at, { ...metric(outcome), durationMs: this.nowMs() - beganMs }, next);
    this.#put(at, metric('failed'));
    let isAnswered = false;
    return {
      answered(status, next) {
        isAnswered = true;
        finish(status, next);
      },
      // If the connection breaks during the body, the trace keeps the status and metrics.
      failed() {
        if (!isAnswered) finish('failed');
      },
    };
  }

  end(): readonly TraceMetric[] {
    this.#ended ??= [
      ...this.#steps(),
      { service: this.service, step: 'total', durationMs: this.nowMs() - this.#startMs },
    ];
    return this.#ended;
  }

  /** If there are too many metrics, metrics of called services are dropped first. */
  #steps(): TraceMetric[] {
    let space = MAX_METRICS - 1 - this.#entries.length;
    return this.#entries.flatMap(({ metric, next }) => {
      const kept = next.slice(0, space);
      space -= kept.length;
      return [metric, ...kept];
    });
  }

  #put(at: number, metric: TraceMetric, next: readonly TraceMetric[] = []): void {
    if (!this.hasEnded && at < MAX_ENTRIES) this.#entries[at] = { metric, next };
  }
}

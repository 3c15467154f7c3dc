import type { Attributes, ObservableResult } from '@opentelemetry/api';

export interface Series {
  readonly attributes: Attributes;
  count: number;
}

/**
 * Counts in memory until a reader collects the counts. `Counter.add` of an SDK sorts and serializes the attributes at each
 * call.
 */
export class CollectedCounter {
  readonly #series: Series[] = [];

  series(attributes: Attributes): Series {
    const series = { attributes, count: 0 };
    this.#series.push(series);
    return series;
  }

  readonly observe = (result: ObservableResult): void => {
    // Also observes zero, since Prometheus can't compute the increase to the first value of a series.
    for (const { attributes, count } of this.#series) result.observe(count, attributes);
  };
}

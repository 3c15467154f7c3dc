import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
  type Sampler,
} from '@opentelemetry/sdk-trace-base';

const NEVER_BY_ITSELF_MS = 2 ** 31 - 1;

export class RecordedTelemetry {
  readonly #spans = new InMemorySpanExporter();
  readonly #metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly #meters = new MeterProvider({
    readers: [
      new PeriodicExportingMetricReader({
        exporter: this.#metrics,
        exportIntervalMillis: NEVER_BY_ITSELF_MS,
        exportTimeoutMillis: NEVER_BY_ITSELF_MS,
      }),
    ],
  });
  readonly #tracers: BasicTracerProvider;

  private constructor(sampler: Sampler) {
    this.#tracers = new BasicTracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor(this.#spans)] });
  }

  /**
   * Sets OpenTelemetry's global providers, so only one recording can run at once. Call `start()` before the code under
   * test starts.
   */
  static start(sampler: Sampler = new AlwaysOnSampler()): RecordedTelemetry {
    const recorded = new RecordedTelemetry(sampler);
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    metrics.setGlobalMeterProvider(recorded.#meters);
    trace.setGlobalTracerProvider(recorded.#tracers);
    return recorded;
  }

  get spans(): readonly ReadableSpan[] {
    return this.#spans.getFinishedSpans();
  }

  async metrics(): Promise<ReadonlyMap<string, MetricData>> {
    this.#metrics.reset();
    await this.#meters.forceFlush();
    const all = this.#metrics
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    return new Map(all.map((metric) => [metric.descriptor.name, metric]));
  }

  async printed(): Promise<string> {
    const spans = this.spans.map(({ name, attributes, events, status }) => ({ name, attributes, events, status }));
    return JSON.stringify([...(await this.metrics()).values(), spans]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#meters.shutdown(), this.#tracers.shutdown()]);
    for (const api of [context, propagation, metrics, trace]) api.disable();
  }
}

export const pointsOf = (metric: MetricData | undefined): readonly [attributes: object, value: number][] =>
  metric === undefined
    ? []
    : metric.dataPointType === DataPointType.HISTOGRAM
      ? metric.dataPoints.map(({ attributes, value }) => [attributes, value.count])
      : metric.dataPoints.map(({ attributes, value }) => [attributes, Number(value)]);

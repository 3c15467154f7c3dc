/** A service without metrics and without traces does not load this folder. */
import type { DynamicModule } from '@nestjs/common';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  type Resource,
} from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { ServiceLogger } from '../service-logger.js';
import type { ServiceSettings } from '../service-settings.js';
import type { TelemetrySettings } from '../telemetry-settings.js';
import { startManagementServer } from './management-server.js';
import { measureRequests, traceRequests } from './request-telemetry.js';
import { TelemetryModule } from './telemetry.module.js';

export interface Telemetry {
  readonly module: DynamicModule;
  observe(adapter: FastifyAdapter): void;
}

/** The time that the shutdown waits for the last spans to be sent. */
const LAST_WORDS_MS = 500;

/** Call this function once in a process, before the application is created. */
export async function startTelemetry(
  { name, version, telemetry }: Pick<ServiceSettings<string>, 'name' | 'version'> & { telemetry: TelemetrySettings },
  logger: Pick<ServiceLogger, 'warn' | 'log'>,
): Promise<Telemetry> {
  const { management, traces } = telemetry;
  const resource = resourceOf(name, version);
  setGlobalErrorHandler(exportFailureLogger(logger));
  const ends: (() => Promise<void>)[] = [];
  if (traces !== undefined) ends.push(traceTo(traces, resource));
  if (management !== undefined) {
    // The management server serves the metrics, since the exporter's server has no limits.
    const reader = new PrometheusExporter({ preventServerStart: true });
    const server = await startManagementServer(management, (request, response) =>
      reader.getMetricsRequestHandler(request, response),
    );
    logger.log(`${name} serves its metrics on ${management.host}, port ${server.port}`, 'Telemetry');
    const provider = new MeterProvider({ resource, readers: [reader] });
    metrics.setGlobalMeterProvider(provider);
    ends.push(async () => {
      server.close();
      await provider.shutdown();
    });
  }
  return {
    module: TelemetryModule.endingWith(async () => {
      const ended = Promise.allSettled(ends.map((end) => end()));
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS).unref())]);
    }),
    observe: (adapter) => {
      if (management !== undefined) measureRequests(adapter, metrics.getMeter(SCOPE, version));
      if (traces !== undefined) traceRequests(adapter, trace.getTracer(SCOPE, version));
    },
  };
}

const SCOPE = 'service-defaults';

/** The variables `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` take precedence. */
function resourceOf(name: string, version: string): Resource {
  return defaultResource()
    .merge(resourceFromAttributes({ 'service.name': name, 'service.version': version }))
    .merge(detectResources({ detectors: [envDetector] }));
}

function traceTo(protocol: NonNullable<TelemetrySettings['traces']>, resource: Resource): () => Promise<void> {
  const exporter = protocol === 'http/json' ? new JsonExporter() : new ProtobufExporter();
  const provider = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  // Propagates no baggage, since any caller may send baggage, and baggage may identify a user.
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return () => provider.shutdown();
}

const LOG_INTERVAL_MS = 60_000;

/**
 * Logs at most once a minute, and only the failure's code. An exporter's error may contain the answer or address of the
 * collector.
 */
function exportFailureLogger(logger: Pick<ServiceLogger, 'warn'>): (failure: unknown) => void {
  let loggedAt = -Infinity;
  return (failure) => {
    if (performance.now() - loggedAt < LOG_INTERVAL_MS) return;
    loggedAt = performance.now();
    const { code } = Object(failure) as { readonly code?: unknown };
    const reason = typeof code === 'string' || typeof code === 'number' ? code : 'unknown';
    logger.warn({ message: 'Telemetry was not exported', reason }, 'Telemetry');
  };
}

import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { RequestTrace } from './request-trace.js';
import { formatServerTiming, type TraceMetric } from './server-timing.js';
import { listenToTraceSources } from './trace-sources.js';
import { newTraceId, sampledTraceId } from './traceparent.js';

export interface TraceableRequest {
  readonly raw: IncomingMessage;
}
interface Reply {
  readonly raw: ServerResponse;
  header(name: string, value: string): unknown;
}

export interface RequestTraceOptions {
  readonly service: string;
  readonly calls: Readonly<Record<string, string>>;
  readonly startsTrace?: (request: TraceableRequest) => boolean;
}

/** Subscribes to the channels and uses an async context only while a request is traced. */
export class RequestTracer implements OnApplicationShutdown {
  readonly #logger = new Logger('RequestTrace');
  readonly #current = new AsyncLocalStorage<RequestTrace>();
  readonly #traces = new WeakMap<object, RequestTrace>();
  #inFlight = 0;
  #stopListening: (() => void) | undefined;

  constructor(
    private readonly options: RequestTraceOptions,
    { httpAdapter }: HttpAdapterHost<FastifyAdapter>,
  ) {
    const fastify = httpAdapter.getInstance();
    fastify.addHook('onRequest', (request: TraceableRequest, { raw }: Reply, done: () => void) => {
      this.#begin(request, raw);
      done();
    });
    // Uses the last hook before the guard, since Fastify loses the async context when it reads the body.
    fastify.addHook('preHandler', (request: TraceableRequest, _reply: Reply, done: () => void) => {
      const trace = this.#traces.get(request);
      if (trace === undefined) done();
      else this.#current.run(trace, done);
    });
    fastify.addHook('onSend', (request: TraceableRequest, reply: Reply, _payload: unknown, done: () => void) => {
      const trace = this.#traces.get(request);
      if (trace !== undefined) reply.header('Server-Timing', formatServerTiming(trace.end()));
      done();
    });
  }

  end(request: TraceableRequest): readonly TraceMetric[] | undefined {
    return this.#traces.get(request)?.end();
  }

  onApplicationShutdown(): void {
    this.#stopListening?.();
    this.#current.disable();
  }

  #begin(request: TraceableRequest, answer: ServerResponse): void {
    const { service, startsTrace = () => false } = this.options;
    const traceId =
      sampledTraceId(request.raw.headers['traceparent']) ?? (startsTrace(request) ? newTraceId() : undefined);
    if (traceId === undefined) return;
    this.#traces.set(request, new RequestTrace(traceId, service));
    this.#inFlight += 1;
    this.#stopListening ??= listenToTraceSources({
      current: () => this.#current.getStore(),
      calls: this.options.calls,
      onFault: (error) =>
        this.#logger.error('Tracing failed: a step is missing from a trace', error instanceof Error ? error.stack : ''),
    });
    answer.once('close', () => this.#finish());
  }

  #finish(): void {
    this.#inFlight -= 1;
    if (this.#inFlight > 0) return;
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#current.disable();
  }
}

/** RequestTracer: traces the requests that ask for it, and answers them with the header `Server-Timing`. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { RequestTrace } from './request-trace.js';
import { formatServerTiming, type TraceMetric } from './server-timing.js';
import { listenToTraceSources } from './trace-sources.js';
import { newTraceId, sampledTraceId } from './traceparent.js';

/** The part of Fastify's request and reply that is used here. */
export interface TraceableRequest {
  readonly raw: IncomingMessage;
}
interface Reply {
  readonly raw: ServerResponse;
  header(name: string, value: string): unknown;
}

export interface RequestTraceOptions {
  /** The name of this service: the first part of each metric. */
  readonly service: string;
  /** The base URLs of the services that it calls, by name. */
  readonly calls: Readonly<Record<string, string>>;
  /** Which requests begin a trace that did not ask for one. Default: none. */
  readonly begins?: (request: TraceableRequest) => boolean;
}

/**
 * A request asks by a `traceparent` that is sampled (W3C Trace Context). For all others nothing is collected, and while no
 * traced request is under way, no channel has a subscriber and there is no async context to carry.
 */
export class RequestTracer implements OnApplicationShutdown {
  readonly #logger = new Logger('RequestTrace');
  readonly #current = new AsyncLocalStorage<RequestTrace>();
  readonly #traces = new WeakMap<object, RequestTrace>();
  #underWay = 0;
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
    // The last hook before the guard: reading a body leaves whatever context was entered before.
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

  /** Ends the trace of this request, so that a page can show it; undefined when the request is not traced. */
  end(request: TraceableRequest): readonly TraceMetric[] | undefined {
    return this.#traces.get(request)?.end();
  }

  onApplicationShutdown(): void {
    this.#stopListening?.();
    this.#current.disable();
  }

  #begin(request: TraceableRequest, answer: ServerResponse): void {
    const { service, begins = () => false } = this.options;
    const traceId = sampledTraceId(request.raw.headers['traceparent']) ?? (begins(request) ? newTraceId() : undefined);
    if (traceId === undefined) return;
    this.#traces.set(request, new RequestTrace(traceId, service));
    this.#underWay += 1;
    this.#stopListening ??= listenToTraceSources({
      current: () => this.#current.getStore(),
      calls: this.options.calls,
      onFault: (error) => this.#logger.error('A step is missing in a trace', error instanceof Error ? error.stack : ''),
    });
    answer.once('close', () => this.#over());
  }

  #over(): void {
    this.#underWay -= 1;
    if (this.#underWay > 0) return;
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#current.disable();
  }
}

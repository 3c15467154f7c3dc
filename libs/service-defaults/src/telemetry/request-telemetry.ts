import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Meter,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { verifiedTokenOf } from 'nestjs-keycloak-s2s';
import { failureOf } from '../answered-failures.js';

/** The bucket boundaries in seconds, which the semantic conventions advise for this metric. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Probes are not traced, since probes are frequent and their traces are useless. */
const UNTRACED = /^\/health\//;

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

interface Request {
  readonly raw: IncomingMessage;
  readonly routeOptions: { readonly url?: string | undefined };
}
interface Reply {
  readonly raw: ServerResponse;
}

/**
 * Records the duration of each request, by OpenTelemetry's semantic conventions. Path and query are not recorded, since
 * a URL may contain an authorization code.
 */
export function measureRequests(adapter: FastifyAdapter, meter: Meter): void {
  const durations = meter.createHistogram('http.server.request.duration', {
    unit: 's',
    description: 'Duration of requests, from their header to the end of the answer',
    advice: { explicitBucketBoundaries: BUCKETS },
  });
  adapter.getInstance().addHook('onRequest', (request: Request, { raw: answer }: Reply, done: () => void) => {
    const startMs = performance.now();
    answer.once('close', () => {
      const attributes = attributesOf(request);
      addEnd(attributes, answer);
      durations.record((performance.now() - startMs) / 1000, attributes);
    });
    done();
  });
}

/** Records a span for each request, with the attributes of the metric. */
export function traceRequests(adapter: FastifyAdapter, tracer: Tracer): void {
  const contexts = new WeakMap<object, Context>();
  const fastify = adapter.getInstance();
  fastify.addHook('onRequest', (request: Request, { raw: answer }: Reply, done: () => void) => {
    const { url: route = '' } = request.routeOptions;
    const parent = propagation.extract(ROOT_CONTEXT, request.raw.headers);
    if (UNTRACED.test(route)) {
      contexts.set(request, parent);
      return done();
    }
    const attributes = attributesOf(request);
    const method = attributes['http.request.method'];
    const name = `${method === '_OTHER' ? 'HTTP' : method} ${route}`.trim();
    const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
    contexts.set(request, trace.setSpan(parent, span));
    answer.once('close', () => endSpan(span, request, answer));
    done();
  });
  // Fastify loses the async context while reading the body, so the last hook before the guard restores the context.
  fastify.addHook('preHandler', (request: Request, _reply: Reply, done: () => void) => {
    const its = contexts.get(request);
    if (its === undefined) done();
    else context.with(its, done);
  });
}

function attributesOf({ raw, routeOptions }: Request): Attributes {
  const method = raw.method ?? '';
  const attributes: Attributes = {
    'http.request.method': METHODS.has(method) ? method : '_OTHER',
    'url.scheme': 'http',
  };
  if (routeOptions.url !== undefined) attributes['http.route'] = routeOptions.url;
  return attributes;
}

function addEnd(attributes: Attributes, answer: ServerResponse): void {
  const { headersSent, statusCode } = answer;
  if (!headersSent) return;
  attributes['http.response.status_code'] = statusCode;
  if (statusCode >= 500) attributes['error.type'] = failureOf(answer) ?? String(statusCode);
}

function endSpan(span: Span, request: object, answer: ServerResponse): void {
  if (span.isRecording()) {
    const attributes = actorOf(request);
    addEnd(attributes, answer);
    span.setAttributes(attributes);
    if (attributes['error.type'] !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

/** The metrics have no actor, since each one would create another time series. */
function actorOf(request: object): Attributes {
  const actor = verifiedTokenOf(request)?.actor;
  return actor === undefined ? {} : { 'keycloak_s2s.actor': actor.clientId ?? '(no client)' };
}

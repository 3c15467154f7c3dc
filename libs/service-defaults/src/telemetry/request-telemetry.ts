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
  type Tracer,
} from '@opentelemetry/api';
import { verifiedTokenOf } from 'nestjs-keycloak-s2s';
import { describeRequest } from 'nestjs-keycloak-s2s/diagnostics';
import { failureOf } from '../answered-failures.js';

/** The bucket boundaries in seconds, which the semantic conventions advise for this metric. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Probes are not traced, since probes are frequent and their traces are useless. */
const UNTRACED = /^\/health\//;

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

interface Request {
  readonly raw: IncomingMessage;
}
interface Reply {
  readonly raw: ServerResponse;
}

/**
 * Records a span and a duration for each request, by OpenTelemetry's semantic conventions. Path and query are not
 * recorded, since a URL may contain an authorization code.
 */
export function observeRequests(adapter: FastifyAdapter, tracer: Tracer, meter: Meter): void {
  const durations = meter.createHistogram('http.server.request.duration', {
    unit: 's',
    description: 'Duration of requests, from their header to the end of the answer',
    advice: { explicitBucketBoundaries: BUCKETS },
  });
  const contexts = new WeakMap<object, Context>();
  const fastify = adapter.getInstance();
  fastify.addHook('onRequest', (request: Request, { raw: answer }: Reply, done: () => void) => {
    const startMs = performance.now();
    const { method = '', route } = describeRequest(request);
    const attributes: Attributes = {
      'http.request.method': METHODS.has(method) ? method : '_OTHER',
      'url.scheme': 'http',
      ...(route === undefined ? {} : { 'http.route': route }),
    };
    const isTraced = !UNTRACED.test(route ?? '');
    const parent = propagation.extract(ROOT_CONTEXT, request.raw.headers);
    const name = [METHODS.has(method) ? method : 'HTTP', route].join(' ').trim();
    const span = isTraced ? tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent) : undefined;
    contexts.set(request, span === undefined ? parent : trace.setSpan(parent, span));
    answer.once('close', () => {
      const ended = endOf(answer);
      durations.record((performance.now() - startMs) / 1000, { ...attributes, ...ended });
      span?.setAttributes({ ...ended, ...actorOf(request) });
      if (ended['error.type'] !== undefined) span?.setStatus({ code: SpanStatusCode.ERROR });
      span?.end();
    });
    done();
  });
  // Fastify loses the async context while reading the body, so the last hook before the guard restores the context.
  fastify.addHook('preHandler', (request: Request, _reply: Reply, done: () => void) => {
    const its = contexts.get(request);
    if (its === undefined) done();
    else context.with(its, done);
  });
}

/** The metrics have no actor, since each one would create another time series. */
function actorOf(request: object): Attributes {
  const actor = verifiedTokenOf(request)?.actor;
  return actor === undefined ? {} : { 'keycloak_s2s.actor': actor.clientId ?? '(no client)' };
}

function endOf(answer: ServerResponse): Attributes {
  const { headersSent, statusCode } = answer;
  if (!headersSent) return {};
  return {
    'http.response.status_code': statusCode,
    ...(statusCode >= 500 ? { 'error.type': failureOf(answer) ?? String(statusCode) } : {}),
  };
}

/** Request description: which request a log line is about. */
import { loggableText } from '../protocol/loggable-text.js';
import type { CallContext } from './request.adapter.js';

/** What is read of a request; Express' and Fastify's both fit. */
interface DescribedRequest {
  readonly method?: unknown;
  readonly headers?: unknown;
  /** Fastify's. */
  readonly routeOptions?: { readonly url?: unknown };
  /** Express'. */
  readonly route?: { readonly path?: unknown };
  readonly baseUrl?: unknown;
}

/** W3C Trace Context §3.2: version, trace id, parent id, flags. */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

const METHODS: ReadonlySet<unknown> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Identifiers that somebody in front of a service gives to a request. */
const REQUEST_ID = /^[\w.:-]{1,64}$/;

/**
 * Method and route (as it was declared: what stands in its parameters is the caller's), and the ids that came with the request, where they
 * have the form of one.
 */
export function describeRequest(request: unknown): Readonly<Record<string, string>> {
  const { method, headers, routeOptions, route, baseUrl } = Object(request) as DescribedRequest;
  const ids = Object(headers) as Readonly<Record<string, unknown>>;
  const described: Record<string, string> = {};
  // Those that are known are not cut (perf: request-log).
  const shown = METHODS.has(method) ? String(method) : loggableText(method);
  if (shown !== undefined) described['method'] = shown;
  const path =
    routeOptions?.url ?? (typeof route?.path === 'string' ? `${String(baseUrl ?? '')}${route.path}` : undefined);
  // The application's own text: nothing is cut out of it.
  if (typeof path === 'string') described['route'] = path.length > 200 ? path.slice(0, 200) : path;
  const requestId = matched(REQUEST_ID, ids['x-request-id'])?.[0];
  if (requestId !== undefined) described['requestId'] = requestId;
  const traceId = matched(TRACEPARENT, ids['traceparent'])?.[1];
  if (traceId !== undefined) described['traceId'] = traceId;
  return described;
}

/** Method and route as the application declared them, and nothing that a caller chose: so there are not many of them. */
export function routeOf(request: unknown): Readonly<Record<string, string>> {
  const { method, routeOptions, route } = Object(request) as DescribedRequest;
  const path = routeOptions?.url ?? route?.path;
  return {
    method: METHODS.has(method) ? String(method) : 'other',
    ...(typeof path === 'string' ? { route: path.slice(0, 200) } : {}),
  };
}

/** Returns the kind of a context outside of HTTP, and its handler where Nest gives it. */
export function describeHandler(host: CallContext | undefined): Readonly<Record<string, string>> {
  if (host === undefined) return {};
  const [type, method] = [host.getClass?.(), host.getHandler?.()];
  return { kind: host.getType<string>(), ...(type && method ? { handler: `${type.name}.${method.name}` } : {}) };
}

const matched = (form: RegExp, text: unknown): RegExpExecArray | null =>
  typeof text === 'string' ? form.exec(text) : null;

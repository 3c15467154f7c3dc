import { loggableText } from '../protocol/loggable-text.js';
import type { CallContext } from './request.adapter.js';

interface DescribedRequest {
  readonly method?: unknown;
  readonly headers?: unknown;
  /** Fastify */
  readonly routeOptions?: { readonly url?: unknown };
  /** Express */
  readonly route?: { readonly path?: unknown };
  readonly baseUrl?: unknown;
}

/** W3C Trace Context §3.2: version, trace id, parent id, flags. */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

const METHODS: ReadonlySet<unknown> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

const REQUEST_ID = /^[\w.:-]{1,64}$/;

export function describeRequest(request: unknown): Readonly<Record<string, string>> {
  const { method, headers, routeOptions, route, baseUrl } = Object(request) as DescribedRequest;
  const ids = Object(headers) as Readonly<Record<string, unknown>>;
  const described: Record<string, string> = {};
  // A known HTTP method needs no truncation (perf: request-log).
  const shown = METHODS.has(method) ? String(method) : loggableText(method);
  if (shown !== undefined) described['method'] = shown;
  const path =
    routeOptions?.url ?? (typeof route?.path === 'string' ? `${String(baseUrl ?? '')}${route.path}` : undefined);
  if (typeof path === 'string') described['route'] = path.length > 200 ? path.slice(0, 200) : path;
  const requestId = matched(REQUEST_ID, ids['x-request-id'])?.[0];
  if (requestId !== undefined) described['requestId'] = requestId;
  const traceId = matched(TRACEPARENT, ids['traceparent'])?.[1];
  if (traceId !== undefined) described['traceId'] = traceId;
  return described;
}

/** Returns the pattern of the route, such as `/orders/:id`. */
export function routePathOf(request: unknown): string | undefined {
  const { routeOptions, route } = Object(request) as DescribedRequest;
  const path = routeOptions?.url ?? route?.path;
  return typeof path === 'string' ? path : undefined;
}

/** The caller can't choose any part of the result, so the number of different results is bounded. */
export function routeOf(request: unknown): Readonly<Record<string, string>> {
  const { method } = Object(request) as DescribedRequest;
  const path = routePathOf(request);
  return {
    method: METHODS.has(method) ? String(method) : 'other',
    ...(path === undefined ? {} : { route: path.slice(0, 200) }),
  };
}

export function describeHandler(host: CallContext | undefined): Readonly<Record<string, string>> {
  if (host === undefined) return {};
  const [type, method] = [host.getClass?.(), host.getHandler?.()];
  return { kind: host.getType<string>(), ...(type && method ? { handler: `${type.name}.${method.name}` } : {}) };
}

const matched = (form: RegExp, text: unknown): RegExpExecArray | null =>
  typeof text === 'string' ? form.exec(text) : null;

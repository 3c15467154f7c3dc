export type TraceHeaders = Readonly<Record<string, string>>;

export const UNTRACED: TraceHeaders = {};

/** Returns the trace headers, or no headers for a malformed `traceparent` (W3C Trace Context §3.2.2.5). */
export function traceHeadersOf(traceparent: string | readonly string[] | undefined): TraceHeaders {
  return typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? { traceparent } : UNTRACED;
}

export function withTrace<Headers extends TraceHeaders | undefined>(
  headers: Headers,
  trace: TraceHeaders,
): Headers | TraceHeaders {
  if (Object.keys(trace).length === 0) return headers;
  if (headers === undefined) return trace;
  const others = Object.entries<string>(headers).filter(([name]) => !OF_A_TRACE.has(name.toLowerCase()));
  return { ...Object.fromEntries(others), ...trace };
}

const OF_A_TRACE: ReadonlySet<string> = new Set(['traceparent', 'tracestate']);

const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

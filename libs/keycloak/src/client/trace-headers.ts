/** Trace headers: those by which a call says of which trace it is part (W3C Trace Context). */

export type TraceHeaders = Readonly<Record<string, string>>;

/** The headers of a call without a trace. */
export const UNTRACED: TraceHeaders = {};

/** The headers for a `traceparent` that the application received. A malformed one is left out (§3.2.2.5). */
export function traceHeadersOf(traceparent: string | readonly string[] | undefined): TraceHeaders {
  return typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? { traceparent } : UNTRACED;
}

/** `headers` with those of a trace, which take the place of any that are there. */
export function withTrace<Headers extends TraceHeaders | undefined>(
  headers: Headers,
  trace: TraceHeaders,
): Headers | TraceHeaders {
  if (Object.keys(trace).length === 0) return headers;
  const others = Object.entries<string>(headers ?? {}).filter(([name]) => !OF_A_TRACE.has(name.toLowerCase()));
  return { ...Object.fromEntries(others), ...trace };
}

const OF_A_TRACE: ReadonlySet<string> = new Set(['traceparent', 'tracestate']);

/** Version, trace id, parent id, flags. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

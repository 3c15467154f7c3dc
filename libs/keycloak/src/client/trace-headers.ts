/** Trace headers: those by which a call says of which trace it is part (W3C Trace Context). */

export type TraceHeaders = Readonly<Record<string, string>>;

/** Of a call that is part of no trace. */
export const UNTRACED: TraceHeaders = {};

/** What the call carries of a `traceparent` that the application had from elsewhere: nothing of one that is malformed (§3.2.2.5 would have it ignored). */
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

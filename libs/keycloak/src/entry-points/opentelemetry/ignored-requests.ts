import { INVALID_TRACEID, trace, TraceFlags, type Context } from '@opentelemetry/api';

/**
 * Whether this process has started a span that nobody records. The sampler decides once for each request, so the calls
 * of such a request have no spans.
 */
export function isIgnored(active: Context): boolean {
  const span = trace.getSpan(active);
  if (span === undefined || span.isRecording()) return false;
  const { traceId, traceFlags, isRemote } = span.spanContext();
  // Without an SDK for traces, a span has no trace.
  return traceId !== INVALID_TRACEID && isRemote !== true && (traceFlags & TraceFlags.SAMPLED) === 0;
}

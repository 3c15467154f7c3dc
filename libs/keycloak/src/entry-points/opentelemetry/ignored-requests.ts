import { isSpanContextValid, trace, TraceFlags, type Context } from '@opentelemetry/api';

/**
 * Whether this process has started a span that nobody records. The sampler decides once for each request, so the calls
 * of such a request have no spans.
 */
export function isIgnored(active: Context): boolean {
  const span = trace.getSpan(active);
  if (span === undefined || span.isRecording()) return false;
  const spanContext = span.spanContext();
  const isSampled = (spanContext.traceFlags & TraceFlags.SAMPLED) !== 0;
  return isSpanContextValid(spanContext) && spanContext.isRemote !== true && !isSampled;
}

/** CallSpans: one span for each call of another service, in which its token is had. */
import { context, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import type { CallTracing, ObservedCall, TracedCall } from '../ports/call-tracing.js';
import { CODE, ERROR_TYPE, errorTypeOf, METHOD, serverOf, SERVICE, STATUS } from './attributes.js';

export class CallSpans implements CallTracing {
  constructor(private readonly tracer: Tracer) {}

  begin({ service, method, origin }: ObservedCall): TracedCall {
    const span = this.tracer.startSpan(`${method} ${service}`, {
      kind: SpanKind.CLIENT,
      attributes: { [METHOD]: method, [SERVICE]: service, ...serverOf(origin) },
    });
    const ofTheCall = trace.setSpan(context.active(), span);
    return {
      within: (send) => context.with(ofTheCall, send),
      end: (message) => {
        const errorType = errorTypeOf(message);
        const { status, failed } = message;
        if (status !== undefined) span.setAttribute(STATUS, status);
        if (failed !== undefined) span.setAttribute(CODE, failed);
        if (errorType !== undefined) span.setAttribute(ERROR_TYPE, errorType).setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  }
}

import {
  context,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type TextMapSetter,
  type Tracer,
} from '@opentelemetry/api';
import type { CallTracing, ObservedCall, TracedCall } from '../ports/call-tracing.js';
import { ACTOR, actorName, CODE, ERROR_TYPE, errorTypeOf, METHOD, serverOf, SERVICE, STATUS } from './attributes.js';

export class CallSpans implements CallTracing {
  constructor(private readonly tracer: Tracer) {}

  begin({ service, method, origin, actor }: ObservedCall): TracedCall {
    const span = this.tracer.startSpan(`${method} ${service}`, {
      kind: SpanKind.CLIENT,
      attributes: {
        [METHOD]: method,
        [SERVICE]: service,
        ...serverOf(origin),
        ...(actor === undefined ? {} : { [ACTOR]: actorName(actor) }),
      },
    });
    const ofTheCall = trace.setSpan(context.active(), span);
    const headers: Record<string, string> = {};
    propagation.inject(ofTheCall, headers, TRACE_CONTEXT_ALONE);
    return {
      headers,
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

/** Sets only the trace context: baggage and other headers may identify a user. */
const TRACE_CONTEXT_ALONE: TextMapSetter<Record<string, string>> = {
  set: (headers, name, value) => {
    if (PASSED_ON.has(name.toLowerCase())) headers[name.toLowerCase()] = value;
  },
};

const PASSED_ON: ReadonlySet<string> = new Set(['traceparent', 'tracestate']);

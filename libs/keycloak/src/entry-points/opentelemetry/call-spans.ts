import {
  context,
  isSpanContextValid,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type TextMapSetter,
  type Tracer,
} from '@opentelemetry/api';
import type { ServiceCallMessage } from '../diagnostics/index.js';
import type { CallTracing, ObservedCall, TracedCall } from '../ports/call-tracing.js';
import {
  ACTOR,
  actorName,
  builtOnce,
  CODE,
  ERROR_TYPE,
  errorTypeOf,
  METHOD,
  serverOf,
  SERVICE,
  STATUS,
} from './attributes.js';
import { isIgnored } from './ignored-requests.js';

export class CallSpans implements CallTracing {
  constructor(private readonly tracer: Tracer) {}

  begin(call: ObservedCall): TracedCall {
    const active = context.active();
    if (isIgnored(active)) return { headers: headersOf(active) };
    const span = this.tracer.startSpan(`${call.method} ${call.service}`, {
      kind: SpanKind.CLIENT,
      attributes: call.actor === undefined ? called(call) : { ...called(call), [ACTOR]: actorName(call.actor) },
    });
    // Without an SDK for traces, a call must not pay for a span that nobody receives (perf: production).
    if (!span.isRecording() && !isSpanContextValid(span.spanContext())) return { headers: headersOf(active) };
    const ofTheCall = trace.setSpan(active, span);
    return {
      headers: headersOf(ofTheCall),
      span: {
        within: (send) => context.with(ofTheCall, send),
        end: (message) => endOf(span, message),
      },
    };
  }
}

function headersOf(active: Context): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(active, headers, TRACE_CONTEXT_ALONE);
  return headers;
}

const called = builtOnce(
  ({ service, method, origin }: ObservedCall) => [method, service, origin],
  ({ service, method, origin }) => ({ [METHOD]: method, [SERVICE]: service, ...serverOf(origin) }),
);

function endOf(span: Span, message: ServiceCallMessage): void {
  const errorType = errorTypeOf(message);
  const { status, failed } = message;
  if (status !== undefined) span.setAttribute(STATUS, status);
  if (failed !== undefined) span.setAttribute(CODE, failed);
  if (errorType !== undefined) span.setAttribute(ERROR_TYPE, errorType).setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** Sets only the trace context: baggage and other headers may identify a user. */
const TRACE_CONTEXT_ALONE: TextMapSetter<Record<string, string>> = {
  set: (headers, name, value) => {
    if (PASSED_ON.has(name.toLowerCase())) headers[name.toLowerCase()] = value;
  },
};

const PASSED_ON: ReadonlySet<string> = new Set(['traceparent', 'tracestate']);

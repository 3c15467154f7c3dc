import { systemClock, type Clock } from '../caching/clock.js';
import { serviceCalls, type ServiceCallMessage } from '../diagnostics/service-call-channel.js';
import type { Actor } from '../protocol/actor.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import { ServiceCallError } from './service-call-error.js';
import type { AnswerHead } from './answer-head.js';
import { UNTRACED, type TraceHeaders } from './trace-headers.js';

/** An observed call does not include the path, because a path may contain the caller's data. */
export interface ObservedCall {
  readonly service: string;
  readonly method: string;
  readonly origin: string;
  /** The party that acts for the subject of the call (RFC 8693 §4.1). */
  readonly actor?: Actor | undefined;
}

export interface CallTracing {
  begin(call: ObservedCall): TracedCall;
}

export interface TracedCall {
  readonly headers: TraceHeaders;
  /** Absent if the trace of the request is not recorded. */
  readonly span?: CallSpan;
}

const NOT_TRACED: TracedCall = { headers: UNTRACED };

export interface CallSpan {
  /** Runs the call inside its span, so the trace also includes the token request of the call. */
  within<T>(send: () => Promise<T>): Promise<T>;
  end(message: ServiceCallMessage): void;
}

export class CallObservation {
  #tracing: CallTracing | undefined;

  constructor(private readonly clock: Clock = systemClock) {}

  followedBy(tracing: CallTracing): () => void {
    this.#tracing = tracing;
    return () => {
      if (this.#tracing === tracing) this.#tracing = undefined;
    };
  }

  observe<T extends { readonly response: AnswerHead }>(
    call: ObservedCall,
    send: (trace: TraceHeaders) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const traced = this.#tracing?.begin(call) ?? NOT_TRACED;
    if (traced.span === undefined && !serviceCalls.hasSubscribers) return send(traced.headers);
    return this.#observed(call, traced, send, signal);
  }

  async #observed<T extends { readonly response: AnswerHead }>(
    { service, method }: ObservedCall,
    { headers, span }: TracedCall,
    send: (trace: TraceHeaders) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const startMs = this.clock.monotonicMs();
    const end = (how: HowItEnded): void => {
      const durationMs = this.clock.monotonicMs() - startMs;
      const message: ServiceCallMessage = Object.freeze({ service, method, ...how, durationMs });
      span?.end(message);
      if (serviceCalls.hasSubscribers) serviceCalls.publish(message);
    };
    try {
      const sent = await (span === undefined ? send(headers) : span.within(() => send(headers)));
      end({ outcome: 'answered', status: sent.response.status });
      return sent;
    } catch (error) {
      end(failureOf(error, signal));
      throw error;
    }
  }
}

type HowItEnded = Omit<ServiceCallMessage, 'service' | 'method' | 'durationMs'>;

function failureOf(error: unknown, signal: AbortSignal | undefined): HowItEnded {
  // The abort reason of the caller's signal may also be a `KeycloakException`.
  if (error instanceof KeycloakException) {
    const { code: failed, reason } = error;
    const status = error instanceof ServiceCallError ? error.status : undefined;
    return { outcome: 'failed', failed, reason, ...(status === undefined ? {} : { status }) };
  }
  return signal?.aborted === true ? { outcome: 'given_up' } : { outcome: 'failed', failed: 'unexpected' };
}

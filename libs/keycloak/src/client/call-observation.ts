/** CallObservation: tells those who look on how the calls of other services go; it reads no clock when nobody does. */
import { systemClock, type Clock } from '../caching/clock.js';
import { serviceCalls, type ServiceCallMessage } from '../diagnostics/service-call-channel.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import { ServiceCallError } from './service-call-error.js';
import type { AnswerHead } from './answer-head.js';
import { UNTRACED, type TraceHeaders } from './trace-headers.js';

/** A call that is about to be made: no path, since what stands in one is the caller's. */
export interface ObservedCall {
  /** The name that the service was registered with. */
  readonly service: string;
  readonly method: string;
  /** Where it goes: scheme, host and port. */
  readonly origin: string;
}

/** Follows calls from their beginning to their end, as a trace does. For a door of the library. */
export interface CallTracing {
  /** Must not throw. */
  begin(call: ObservedCall): TracedCall;
}

export interface TracedCall {
  /** `traceparent` and `tracestate` that the service is to see, where there are any. */
  readonly headers: TraceHeaders;
  /** Runs the call: what it does, such as getting its token, is then part of it. */
  within<T>(send: () => Promise<T>): Promise<T>;
  end(message: ServiceCallMessage): void;
}

export class CallObservation {
  #tracing: CallTracing | undefined;

  constructor(private readonly clock: Clock = systemClock) {}

  /** Has all calls followed from now on, until what it gives back is called. There is one who follows: the last. */
  followedBy(tracing: CallTracing): () => void {
    this.#tracing = tracing;
    return () => {
      if (this.#tracing === tracing) this.#tracing = undefined;
    };
  }

  /** Gives back what `send` gives, and throws what it throws. `send` is told which headers the trace of the call has. */
  observe<T extends { readonly response: AnswerHead }>(
    call: ObservedCall,
    send: (trace: TraceHeaders) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const tracing = this.#tracing;
    if (tracing === undefined && !serviceCalls.hasSubscribers) return send(UNTRACED);
    return this.#observed(call, tracing?.begin(call), send, signal);
  }

  async #observed<T extends { readonly response: AnswerHead }>(
    { service, method }: ObservedCall,
    traced: TracedCall | undefined,
    send: (trace: TraceHeaders) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const startMs = this.clock.monotonicMs();
    const end = (how: HowItEnded): void => {
      const durationMs = this.clock.monotonicMs() - startMs;
      const message: ServiceCallMessage = Object.freeze({ service, method, ...how, durationMs });
      traced?.end(message);
      if (serviceCalls.hasSubscribers) serviceCalls.publish(message);
    };
    try {
      const sent = await (traced === undefined ? send(UNTRACED) : traced.within(() => send(traced.headers)));
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
  // The reason of a signal may be a refusal, too, such as a time of the application's own.
  if (error instanceof KeycloakException) {
    const { code: failed, reason } = error;
    const status = error instanceof ServiceCallError ? error.status : undefined;
    return { outcome: 'failed', failed, reason, ...(status === undefined ? {} : { status }) };
  }
  return signal?.aborted === true ? { outcome: 'given_up' } : { outcome: 'failed', failed: 'unexpected' };
}

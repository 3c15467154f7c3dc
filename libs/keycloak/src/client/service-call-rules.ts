/** Service call rules: what the failures of calls to a service say of it, and of what the caller is told instead. */
import type { CallRules } from '../resilience/call-rules.js';
import { retryAfterMs, retryAfterSeconds } from '../resilience/retry-after.js';
import { ServiceCallError } from './service-call-error.js';

/** What a reverse proxy answers for a service that is not there, and a service that is overloaded or not ready for itself. */
const UNWELL: ReadonlySet<unknown> = new Set([502, 503, 504]);

/** The part of an answer that is looked at. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Not well is a service that can't be reached, is too slow, breaks off, or answers 502, 503 or 504. A 4xx is an answer like any
 * other; so is a 500, which may be the fault of one route or one body, for which the others must not be closed.
 */
export function serviceCallRules(service: string): CallRules<Answer> {
  return {
    ended: (reason, retryAfter) =>
      new ServiceCallError(reason === 'timeout' ? 'service_timeout' : 'service_unavailable', service, reason, {
        retryAfterSeconds: retryAfter,
      }),
    isFailure: (error) =>
      error instanceof ServiceCallError &&
      (error.code === 'service_timeout' ||
        error.code === 'service_unavailable' ||
        error.reason === 'answer_broken_off'),
    isFailedAnswer: ({ status }) => UNWELL.has(status),
    // What may be sent twice is, by the transport, when a kept connection breaks. Nothing else is.
    isPassing: () => false,
    retryAfterMs: (outcome) =>
      outcome instanceof Error
        ? retryAfterMs(outcome)
        : (retryAfterSeconds(outcome.headers['retry-after']) ?? 0) * 1000,
  };
}

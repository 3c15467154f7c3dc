/** Service call rules: what the failures of calls to a service say of it, and with which error the caller is answered. */
import { Readable } from 'node:stream';
import { ownProperty } from '../protocol/claims.js';
import type { RefusalCode } from '../protocol/keycloak-exception.js';
import type { CallRules } from '../resilience/call-rules.js';
import { retryAfterMs, retryAfterSeconds } from '../resilience/retry-after.js';
import { ServiceCallError } from './service-call-error.js';

/** What a reverse proxy answers for a service that is not there, and a service that is overloaded or not ready for itself. */
const UNWELL: ReadonlySet<unknown> = new Set([502, 503, 504]);

/** With these a service of this library says that it is well, and that somebody behind it is not, or refused it. */
const OF_ANOTHER: ReadonlySet<unknown> = new Set<RefusalCode>([
  'authorization_server_refused',
  'authorization_server_unavailable',
  'service_unavailable',
  'service_timeout',
  'service_refused',
  'service_failed',
]);

/** Parses a buffer as JSON. Returns undefined for a stream or invalid JSON, and anything else as it is. */
export function jsonIn(body: unknown): unknown {
  if (body instanceof Readable) return undefined;
  if (!Buffer.isBuffer(body)) return body;
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** The part of an answer that is looked at. */
interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Not well is a service that can't be reached, is too slow, breaks off, or answers 502, 503 or 504. A 4xx is an answer like any
 * other; so is a 500, which may be the fault of one route or one body, for which the others must not be closed. And so is what
 * such a 500, or a 404, of the service behind it comes to: a caller of one route could close all of them.
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
    isFailedAnswer: ({ status, body }) => UNWELL.has(status) && !OF_ANOTHER.has(ownProperty(jsonIn(body), 'code')),
    // What may be sent twice is, by the transport, when a kept connection breaks. Nothing else is.
    isPassing: () => false,
    // Nobody should wait for a service whose circuit is open.
    failsWhileTrying: true,
    retryAfterMs: (outcome) =>
      outcome instanceof Error
        ? retryAfterMs(outcome)
        : (retryAfterSeconds(outcome.headers['retry-after'], outcome.headers['date']) ?? 0) * 1000,
  };
}

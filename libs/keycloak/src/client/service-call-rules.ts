import { Readable } from 'node:stream';
import { ownProperty } from '../protocol/claims.js';
import type { RefusalCode } from '../protocol/keycloak-exception.js';
import type { CallRules } from '../resilience/call-rules.js';
import { retryAfterMs, retryAfterSeconds } from '../resilience/retry-after.js';
import { ServiceCallError } from './service-call-error.js';

const UNWELL: ReadonlySet<unknown> = new Set([502, 503, 504]);

/** The codes with which a service reports a failure of Keycloak or of another service. */
const OF_ANOTHER: ReadonlySet<unknown> = new Set<RefusalCode>([
  'authorization_server_refused',
  'authorization_server_unavailable',
  'service_unavailable',
  'service_timeout',
  'service_refused',
  'service_failed',
]);

export function jsonIn(body: unknown): unknown {
  if (body instanceof Readable) return undefined;
  if (!Buffer.isBuffer(body)) return body;
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** A 4xx or 500 answer does not open the circuit, because the answer may concern a single route or body. */
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
    // The transport itself repeats an idempotent request when a kept-alive connection breaks.
    isPassing: () => false,
    failsWhileTrying: true,
    retryAfterMs: (outcome) =>
      outcome instanceof Error
        ? retryAfterMs(outcome)
        : (retryAfterSeconds(outcome.headers['retry-after'], outcome.headers['date']) ?? 0) * 1000,
  };
}

/** ServiceCallError: a call to the next service that came to nothing, without the request that it was. */
import { ownProperty } from '../protocol/claims.js';
import { Refusal } from '../protocol/refusal.js';

/**
 * - `service_unavailable` (503): not reachable, or the connection broke.
 * - `service_timeout` (504): no whole answer within the time set.
 * - `service_refused` (502): it refused our token, twice, or this service itself.
 * - `service_failed` (502): it answered 5xx, another 4xx, a redirect, too much, or what is no JSON.
 */
export type ServiceCallErrorCode = 'service_unavailable' | 'service_timeout' | 'service_refused' | 'service_failed';

/** What is kept of the other service's answer: its own words for what went wrong, each at most 200 characters. */
export interface SafeBody {
  readonly error?: string;
  readonly code?: string;
  readonly permission?: string;
}

/** Holds no headers, no configuration and no `cause`, since those of HTTP clients carry the request with its token. */
export class ServiceCallError extends Refusal {
  constructor(
    readonly code: ServiceCallErrorCode,
    /** The name the service was registered with. */
    readonly service: string,
    reason: string,
    /** The other service's status, when it answered. */
    readonly status?: number,
    readonly body: SafeBody = {},
  ) {
    super(code, { reason, fields: { service, ...(status === undefined ? {} : { answered: status, answer: body }) } });
  }
}

/** Takes the fields of a `SafeBody` out of whatever the other service sent. */
export function safeBody(answer: unknown): SafeBody {
  const text = (name: keyof SafeBody): object => {
    const value = ownProperty(answer, name);
    return typeof value === 'string' ? { [name]: value.slice(0, 200) } : {};
  };
  return { ...text('error'), ...text('code'), ...text('permission') };
}

/** ServiceCallError: a call to the next service that came to nothing, without the request that it was. */
import { ownProperty } from '../protocol/claims.js';
import type { ServiceCallErrorReason } from '../protocol/refusal-reasons.js';
import { Refusal } from '../protocol/refusal.js';

/**
 * - `service_unavailable` (503): not reachable, the connection broke before an answer, or no call was made (`queue_full`, `circuit_open`).
 * - `service_timeout` (504): no whole answer within the time set.
 * - `service_refused` (502): it refused our token, twice, or this service itself.
 * - `service_failed` (502): it answered 5xx, another 4xx, a redirect, too much, or not JSON, or broke its answer off.
 */
export type ServiceCallErrorCode = 'service_unavailable' | 'service_timeout' | 'service_refused' | 'service_failed';

/** What is kept of the other service's answer: names, no text that could hold more than it should. */
export interface SafeBody {
  readonly code?: string;
  readonly permission?: string;
}

export interface ServiceCallDetails {
  /** The other service's status, when it answered. */
  readonly status?: number | undefined;
  readonly body?: SafeBody;
  /** One line that we or Node wrote, for the log. */
  readonly detail?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

/** Holds no headers, no configuration and no `cause`, since those of HTTP clients carry the request with its token. */
export class ServiceCallError extends Refusal<ServiceCallErrorReason> {
  /** The other service's status, when it answered. */
  readonly status: number | undefined;
  readonly body: SafeBody;

  constructor(
    readonly code: ServiceCallErrorCode,
    /** The name the service was registered with. */
    readonly service: string,
    reason: ServiceCallErrorReason,
    { status, body = {}, detail, retryAfterSeconds }: ServiceCallDetails = {},
  ) {
    super(code, {
      reason,
      detail,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      fields: { called: service, ...(status === undefined ? {} : { answered: status, answer: body }) },
    });
    this.status = status;
    this.body = body;
  }
}

/** A code or the name of a permission. */
const NAME = /^[\w.:/-]{1,64}$/;

/** From this length on, what also stands in our token does not stand there by chance. */
const PIECE_OF_TOKEN = 12;

/** Takes the fields of a `SafeBody` out of whatever the other service sent, but nothing that is a piece of our token. */
export function safeBody(answer: unknown, token: string): SafeBody {
  const name = (field: keyof SafeBody): object => {
    const value = ownProperty(answer, field);
    if (typeof value !== 'string' || !NAME.test(value)) return {};
    return value.length >= PIECE_OF_TOKEN && token.includes(value) ? {} : { [field]: value };
  };
  return { ...name('code'), ...name('permission') };
}

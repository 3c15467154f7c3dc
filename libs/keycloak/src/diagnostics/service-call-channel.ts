import { channel } from 'node:diagnostics_channel';
import type { RefusalReason } from '../protocol/refusal-reasons.js';
import type { RefusalCode } from '../protocol/keycloak-exception.js';

/** Channel of `ServiceCallMessage`, for `diagnostics_channel.subscribe()`. */
export const SERVICE_CALL_CHANNEL = 'nestjs-keycloak-s2s:service-call';

/**
 * One message per call of `ServiceClient` or `ServiceHttp`, published in the async context of its caller. It is frozen,
 * and has no path, header, body, token or claim. A call that is sent again with a renewed token is one call. A call
 * with invalid arguments is not published.
 */
export interface ServiceCallMessage {
  /** The name that the service is registered with. */
  readonly service: string;
  readonly method: string;
  /** `answered`: with any status. `failed`: no token, not sent, or no usable answer. `given_up`: the caller aborted. */
  readonly outcome: 'answered' | 'failed' | 'given_up';
  /** Also the status of an unusable answer. */
  readonly status?: number;
  /** With `failed`: the error code, or `unexpected` for an error without a code of this library. */
  readonly failed?: RefusalCode | 'unexpected';
  readonly reason?: RefusalReason;
  /** Includes the wait for a token and a slot, but not the body of a streamed answer. */
  readonly durationMs: number;
}

export const serviceCalls = channel(SERVICE_CALL_CHANNEL);

import { channel } from 'node:diagnostics_channel';
import type { RefusalReason } from '../protocol/refusal-reasons.js';
import type { RefusalCode } from '../protocol/keycloak-exception.js';

/** The channel name for `diagnostics_channel.subscribe()`; each message is a `ServiceCallMessage`. */
export const SERVICE_CALL_CHANNEL = 'nestjs-keycloak-s2s:service-call';

/**
 * A message about a call of `ServiceClient` or `ServiceHttp`, in the caller's async context. The message is frozen, and
 * contains no path, header, body, token or claim. A call and its repetition with a renewed token cause one message. A
 * call with invalid arguments causes no message.
 */
export interface ServiceCallMessage {
  /** The registered name of the service. */
  readonly service: string;
  readonly method: string;
  /**
   * `answered`: the service answered with any status. `failed`: there was no token, the call was not sent, or the
   * answer was unusable. `given_up`: the caller aborted the call.
   */
  readonly outcome: 'answered' | 'failed' | 'given_up';
  /** The status of the answer, even if the answer is unusable. */
  readonly status?: number;
  /** `unexpected` is an error without a code of this library. */
  readonly failed?: RefusalCode | 'unexpected';
  readonly reason?: RefusalReason;
  /** The duration includes the wait for a token and a slot, but no streamed body. */
  readonly durationMs: number;
}

export const serviceCalls = channel(SERVICE_CALL_CHANNEL);

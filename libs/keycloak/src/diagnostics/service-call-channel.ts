/** Service call channel: publishes how each call of another service ended. */
import { channel } from 'node:diagnostics_channel';
import type { RefusalReason } from '../protocol/refusal-reasons.js';
import type { RefusalCode } from '../protocol/keycloak-exception.js';

/** The name to subscribe to with `diagnostics_channel.subscribe()`; its messages are `ServiceCallMessage`. */
export const SERVICE_CALL_CHANNEL = 'nestjs-keycloak-s2s:service-call';

/**
 * One for each call that `ServiceClient` or `ServiceHttp` made, published in the async context of who made it. It is frozen, and holds no path, header, body,
 * token or claim. A call that is sent once more with a renewed token is one call. What is refused before a token is asked for, because its arguments are faulty, is not
 * published.
 */
export interface ServiceCallMessage {
  /** The name that the service was registered with. */
  readonly service: string;
  readonly method: string;
  /**
   * `answered`: with any status. `failed`: there was no token, the call was not made, or its answer was of no use. `given_up`: the signal of its caller
   * ended it.
   */
  readonly outcome: 'answered' | 'failed' | 'given_up';
  /** That of the answer, also of one that was of no use. */
  readonly status?: number;
  /** With `failed`: the code of the refusal, `unexpected` for any other error. */
  readonly failed?: RefusalCode | 'unexpected';
  /** With `failed`: why, from the closed list of the refusal's class. */
  readonly reason?: RefusalReason;
  /** For how long its caller waited: for a token and a slot, too. A streamed answer ends it when it begins. */
  readonly durationMs: number;
}

/** As with introspections: ask `hasSubscribers` first, and what a subscriber throws ends the process, not the call. */
export const serviceCalls = channel(SERVICE_CALL_CHANNEL);

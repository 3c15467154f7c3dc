/** Refusal channel: publishes with what a request was refused; and, in a channel of its own, why. */
import { channel } from 'node:diagnostics_channel';
import type { RefusalReason } from '../protocol/refusal-reasons.js';
import type { KeycloakException, RefusalCode } from '../protocol/keycloak-exception.js';

/** The name to subscribe to with `diagnostics_channel.subscribe()`; its messages are `RefusalMessage`. */
export const REFUSAL_CHANNEL = 'nestjs-keycloak-s2s:refusal';

/**
 * One for each refusal that is written to the log, published in the async context of the request. It is frozen. It holds what the caller is
 * told, so that it can be shown to the caller: no reason.
 */
export interface RefusalMessage {
  readonly code: RefusalCode;
  readonly status: number;
  /** With `insufficient_scope`: the permission that is missing. */
  readonly permission?: string;
}

/**
 * For operators: the name of the channel whose messages are `RefusalReasonMessage`. A reason tells a caller which check refused its token, as
 * `exposeRefusalReasons` does; so it is in no message that is shown to callers anywhere.
 */
export const REFUSAL_REASON_CHANNEL = 'nestjs-keycloak-s2s:refusal-reason';

/** One for each refusal, with that of the other channel. It is frozen, and holds words of closed lists alone. */
export interface RefusalReasonMessage {
  readonly code: RefusalCode;
  readonly reason: RefusalReason;
  readonly status: number;
}

const refusals = channel(REFUSAL_CHANNEL);
const refusalReasons = channel(REFUSAL_REASON_CHANNEL);

/** As with introspections, what a subscriber throws ends the process, not the request. */
export function publishRefusal({ code, httpStatus: status, permission, reason }: KeycloakException): void {
  if (refusals.hasSubscribers) {
    const message: RefusalMessage = { code, status, ...(permission === undefined ? {} : { permission }) };
    refusals.publish(Object.freeze(message));
  }
  if (refusalReasons.hasSubscribers) {
    const message: RefusalReasonMessage = { code, reason, status };
    refusalReasons.publish(Object.freeze(message));
  }
}

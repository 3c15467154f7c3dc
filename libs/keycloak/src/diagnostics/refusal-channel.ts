import { channel } from 'node:diagnostics_channel';
import type { RefusalReason } from '../protocol/refusal-reasons.js';
import type { KeycloakException, RefusalCode } from '../protocol/keycloak-exception.js';

/** The channel name for `diagnostics_channel.subscribe()`; each message is a `RefusalMessage`. */
export const REFUSAL_CHANNEL = 'nestjs-keycloak-s2s:refusal';

/**
 * Reports a refusal in the request's async context, even if the log line is suppressed. The message is frozen, and
 * contains only data that the caller also receives.
 */
export interface RefusalMessage {
  readonly code: RefusalCode;
  readonly status: number;
  /** The missing permission, if the code is `insufficient_scope`. */
  readonly permission?: string;
}

/**
 * The name of the channel on which operators receive each `RefusalReasonMessage`. Hide the reasons from callers,
 * because a reason reveals the failed check (compare `exposeRefusalReasons`).
 */
export const REFUSAL_REASON_CHANNEL = 'nestjs-keycloak-s2s:refusal-reason';

/** A frozen message about a refusal; all values come from fixed lists. */
export interface RefusalReasonMessage {
  readonly code: RefusalCode;
  readonly reason: RefusalReason;
  readonly status: number;
}

const refusals = channel(REFUSAL_CHANNEL);
const refusalReasons = channel(REFUSAL_REASON_CHANNEL);

/** If a subscriber throws, the error ends the process, and does not fail the request. */
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

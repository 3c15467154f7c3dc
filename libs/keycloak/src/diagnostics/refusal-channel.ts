import { channel } from 'node:diagnostics_channel';
import type { RefusalReason } from '../protocol/refusal-reasons.js';
import type { KeycloakException, RefusalCode } from '../protocol/keycloak-exception.js';

/** The name of the channel of each `RefusalMessage`, for `diagnostics_channel.subscribe()`. */
export const REFUSAL_CHANNEL = 'nestjs-keycloak-s2s:refusal';

/**
 * Published in the request's async context, even if the log line is suppressed. The frozen message contains no reason,
 * only data that the caller receives.
 */
export interface RefusalMessage {
  readonly code: RefusalCode;
  readonly status: number;
  /** The missing permission, if the code is `insufficient_scope`. */
  readonly permission?: string;
}

/**
 * The name of the channel of each `RefusalReasonMessage`, for operators. Hide these messages from callers, because a
 * reason reveals the failed check (compare `exposeRefusalReasons`).
 */
export const REFUSAL_REASON_CHANNEL = 'nestjs-keycloak-s2s:refusal-reason';

/** A frozen message about a refusal, whose values come from closed lists. */
export interface RefusalReasonMessage {
  readonly code: RefusalCode;
  readonly reason: RefusalReason;
  readonly status: number;
}

const refusals = channel(REFUSAL_CHANNEL);
const refusalReasons = channel(REFUSAL_REASON_CHANNEL);

/** An error of a subscriber ends the process, not the request. */
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

/** Refusal channel: publishes with what a request was refused. */
import { channel } from 'node:diagnostics_channel';
import type { Refusal, RefusalCode } from '../protocol/refusal.js';

/** The name to subscribe to with `diagnostics_channel.subscribe()`; its messages are `RefusalMessage`. */
export const REFUSAL_CHANNEL = 'nestjs-keycloak-s2s:refusal';

/** One for each refusal that is written to the log, published in the async context of the request. It is frozen. */
export interface RefusalMessage {
  readonly code: RefusalCode;
  readonly status: number;
  /** With `insufficient_scope`: the permission that is missing. */
  readonly permission?: string;
}

const refusals = channel(REFUSAL_CHANNEL);

/** As with introspections, what a subscriber throws ends the process, not the request. */
export function publishRefusal({ code, httpStatus, permission }: Refusal): void {
  if (!refusals.hasSubscribers) return;
  const message: RefusalMessage = {
    code,
    status: httpStatus,
    ...(permission === undefined ? {} : { permission }),
  };
  refusals.publish(Object.freeze(message));
}

import { channel } from 'node:diagnostics_channel';

/** The channel name for `diagnostics_channel.subscribe()`; each message is a `SignalMessage`. */
export const SIGNAL_CHANNEL = 'nestjs-keycloak-s2s:signals';

/**
 * Reports the revocations that one poll of a signal source returned, after this process has applied them. The message
 * is frozen, and names no user or session.
 */
export interface SignalMessage {
  readonly issuer: string;
  /** The name of the source, such as `keycloak_events`. */
  readonly source: string;
  /** The number of revocations that become denials. */
  readonly denials: number;
  /** The number of possible revocations, which cause a new introspection. */
  readonly rechecks: number;
  /** The epoch time of the first revocation, by the server's clock; absent if unknown. */
  readonly occurredAtMs?: number;
}

interface ReceivedSignals {
  readonly denials: readonly unknown[];
  readonly rechecks: readonly unknown[];
  readonly occurredAtMs?: number | undefined;
}

const signals = channel(SIGNAL_CHANNEL);

/** If a subscriber throws, the error ends the process, and does not stop the feed. */
export function publishSignals(
  issuer: string,
  source: string,
  { denials, rechecks, occurredAtMs }: ReceivedSignals,
): void {
  if (!signals.hasSubscribers || denials.length + rechecks.length === 0) return;
  const message: SignalMessage = {
    issuer,
    source,
    denials: denials.length,
    rechecks: rechecks.length,
    ...(occurredAtMs === undefined ? {} : { occurredAtMs }),
  };
  signals.publish(Object.freeze(message));
}

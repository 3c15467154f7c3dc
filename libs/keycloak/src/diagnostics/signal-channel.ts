/** Signal channel: publishes that a signal feed has heard of revocations. */
import { channel } from 'node:diagnostics_channel';

/** The name to subscribe to with `diagnostics_channel.subscribe()`; its messages are `SignalMessage`. */
export const SIGNAL_CHANNEL = 'nestjs-keycloak-s2s:signals';

/**
 * One for each poll of a source that brought something, once it is denied or is to be rechecked here. It is frozen, and says how much and of when, and of nobody.
 */
export interface SignalMessage {
  readonly issuer: string;
  /** The name of the source, such as `keycloak_events`. */
  readonly source: string;
  /** How many are certain. */
  readonly denials: number;
  /** How many are not. */
  readonly rechecks: number;
  /** When the first of it happened, by the server's time, in milliseconds since the epoch; absent where the source does not know. */
  readonly occurredAtMs?: number;
}

/** What a poll brought. */
interface Heard {
  readonly denials: readonly unknown[];
  readonly rechecks: readonly unknown[];
  readonly occurredAtMs?: number | undefined;
}

const signals = channel(SIGNAL_CHANNEL);

/** Publishes nothing for a poll that brought nothing. As with introspections, what a subscriber throws ends the process, not the feed. */
export function publishSignals(issuer: string, source: string, { denials, rechecks, occurredAtMs }: Heard): void {
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

/** Introspection channel: tells who subscribes how each question about a caller's token was answered. */
import { channel } from 'node:diagnostics_channel';
import type { Clock } from '../caching/clock.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';

/** The name to subscribe to with `diagnostics_channel.subscribe()`; its messages are `IntrospectionMessage`. */
export const INTROSPECTION_CHANNEL = 'nestjs-keycloak-s2s:introspection';

/**
 * One for each time that a token was looked at, published in the async context of the request that brought it. It is frozen,
 * and holds no token, hash or claim. Renewals in the background belong to no request, and are not told.
 */
export interface IntrospectionMessage {
  /** `asked`: this request asked the server. `joined`: it waited for what another had asked. `cached`: the answer was known. */
  readonly outcome: 'asked' | 'joined' | 'cached';
  /** What the server said; absent when there was no usable answer. */
  readonly active?: boolean;
  readonly durationMs: number;
}

/**
 * Before anything is made for a message, ask `hasSubscribers`: nobody listens in most services. What a subscriber throws does
 * not reach the request: Node raises it as an uncaught exception, which ends the process, as on each of its channels.
 */
export const introspections = channel(INTROSPECTION_CHANNEL);

/** Publishes; `startMs` is when the request came to ask. */
export function publishIntrospection(
  outcome: IntrospectionMessage['outcome'],
  answer: IntrospectionAnswer | undefined,
  clock: Clock,
  startMs: number,
): void {
  const message: IntrospectionMessage = {
    outcome,
    ...(answer === undefined ? {} : { active: answer['active'] === true }),
    durationMs: clock.monotonicMs() - startMs,
  };
  introspections.publish(Object.freeze(message));
}

/** The same answer, told once it is here: to be called by the request itself, whose context an `await` of its own keeps. */
export async function publishOnceAnswered(
  outcome: 'asked' | 'joined',
  answering: Promise<IntrospectionAnswer>,
  clock: Clock,
  startMs: number,
): Promise<IntrospectionAnswer> {
  let answer: IntrospectionAnswer | undefined;
  try {
    answer = await answering;
    return answer;
  } finally {
    publishIntrospection(outcome, answer, clock, startMs);
  }
}

import { channel } from 'node:diagnostics_channel';
import type { Clock } from '../caching/clock.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import { KeycloakException, type RefusalCode } from '../protocol/keycloak-exception.js';

/** The channel name for `diagnostics_channel.subscribe()`; each message is an `IntrospectionMessage`. */
export const INTROSPECTION_CHANNEL = 'nestjs-keycloak-s2s:introspection';

/**
 * Reports an introspection of a caller's token, in the async context of the request. The message is frozen, and
 * contains no token, hash or claim. Background renewals are not published.
 */
export interface IntrospectionMessage {
  /** The configured issuer that the token names. */
  readonly issuer: string;
  /**
   * The source of the result: this request (`asked`), a concurrent request (`joined`), an earlier request (`cached`),
   * another replica (`shared`), or an expired result during an outage (`stale`).
   */
  readonly outcome: 'asked' | 'joined' | 'cached' | 'shared' | 'stale';
  /** Whether the token is active; absent if there is no usable answer. */
  readonly active?: boolean;
  readonly durationMs: number;
  /** The error code, or `unexpected` for an error without a code of this library. */
  readonly failed?: RefusalCode | 'unexpected';
}

/**
 * Check `hasSubscribers` before you build a message. If a subscriber throws, the uncaught exception ends the process.
 */
export const introspections = channel(INTROSPECTION_CHANNEL);

type Outcome = () => IntrospectionMessage['outcome'];

/** The request itself must call this function, because a shared call runs in the async context of one request only. */
export function publishIntrospection(
  issuer: string,
  outcome: Outcome,
  answer: IntrospectionAnswer | Promise<IntrospectionAnswer>,
  clock: Clock,
  startMs: number,
): IntrospectionAnswer | Promise<IntrospectionAnswer> {
  if (answer instanceof Promise) return publishOnceAnswered(issuer, outcome, answer, clock, startMs);
  publish({ issuer, outcome: outcome(), active: isActive(answer), durationMs: clock.monotonicMs() - startMs });
  return answer;
}

async function publishOnceAnswered(
  issuer: string,
  outcome: Outcome,
  answering: Promise<IntrospectionAnswer>,
  clock: Clock,
  startMs: number,
): Promise<IntrospectionAnswer> {
  try {
    const answer = await answering;
    publish({ issuer, outcome: outcome(), active: isActive(answer), durationMs: clock.monotonicMs() - startMs });
    return answer;
  } catch (error) {
    const failed = error instanceof KeycloakException ? error.code : 'unexpected';
    publish({ issuer, outcome: outcome(), failed, durationMs: clock.monotonicMs() - startMs });
    throw error;
  }
}

const isActive = (answer: IntrospectionAnswer): boolean => answer['active'] === true;

const publish = (message: IntrospectionMessage): void => introspections.publish(Object.freeze(message));

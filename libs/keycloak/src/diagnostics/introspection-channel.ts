/** Introspection channel: publishes how each question about a caller's token was answered. */
import { channel } from 'node:diagnostics_channel';
import type { Clock } from '../caching/clock.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import { KeycloakException, type RefusalCode } from '../protocol/keycloak-exception.js';

/** The name to subscribe to with `diagnostics_channel.subscribe()`; its messages are `IntrospectionMessage`. */
export const INTROSPECTION_CHANNEL = 'nestjs-keycloak-s2s:introspection';

/**
 * One for each time that a token was looked at, published in the async context of the request that brought it. It is frozen,
 * and holds no token, hash or claim. Renewals in the background belong to no request, and are not published.
 */
export interface IntrospectionMessage {
  /** The issuer that is configured here, of which the token says to be. */
  readonly issuer: string;
  /**
   * `asked`: this request asked the server. `joined`: it waited for what another had asked. `cached`: the answer was cached here. `shared`: another replica had
   * asked for it.
   */
  readonly outcome: 'asked' | 'joined' | 'cached' | 'shared';
  /** What the server said; absent when there was no usable answer. */
  readonly active?: boolean;
  readonly durationMs: number;
  /** Why there was none: the code of the refusal, `unexpected` for any other error. */
  readonly failed?: RefusalCode | 'unexpected';
}

/**
 * Before anything is made for a message, ask `hasSubscribers`: nobody listens in most services. What a subscriber throws does
 * not reach the request: Node raises it as an uncaught exception, which ends the process, as on each of its channels.
 */
export const introspections = channel(INTROSPECTION_CHANNEL);

/** Known once the answer is here. */
type Outcome = () => IntrospectionMessage['outcome'];

/**
 * Publishes how `answer` was had, at once or when it is here, and gives it back. `startMs` is when the request came to ask. Called
 * by the request itself: an `await` of its own keeps its context, which a flight that another request began does not have.
 */
export function publishIntrospection(
  issuer: string,
  outcome: Outcome,
  answer: IntrospectionAnswer | Promise<IntrospectionAnswer>,
  clock: Clock,
  startMs: number,
): IntrospectionAnswer | Promise<IntrospectionAnswer> {
  if (answer instanceof Promise) return publishOnceAnswered(issuer, outcome, answer, clock, startMs);
  publish(issuer, outcome(), clock.monotonicMs() - startMs, { active: isActive(answer) });
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
    publish(issuer, outcome(), clock.monotonicMs() - startMs, { active: isActive(answer) });
    return answer;
  } catch (error) {
    const failed = error instanceof KeycloakException ? error.code : 'unexpected';
    publish(issuer, outcome(), clock.monotonicMs() - startMs, { failed });
    throw error;
  }
}

const isActive = (answer: IntrospectionAnswer): boolean => answer['active'] === true;

function publish(
  issuer: string,
  outcome: IntrospectionMessage['outcome'],
  durationMs: number,
  end: Pick<IntrospectionMessage, 'active' | 'failed'>,
): void {
  const message: IntrospectionMessage = { issuer, outcome, ...end, durationMs };
  introspections.publish(Object.freeze(message));
}

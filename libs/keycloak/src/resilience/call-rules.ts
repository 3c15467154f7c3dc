import type { KeycloakException } from '../protocol/keycloak-exception.js';

/** With `queue_full` and `circuit_open`, the call was not made. */
export type EndedByPolicy = 'timeout' | 'queue_full' | 'circuit_open';

export interface CallRules<Answer = unknown> {
  readonly ended: (why: EndedByPolicy, retryAfterSeconds?: number) => KeycloakException;
  readonly isFailure: (error: Error) => boolean;
  /** By default, every answer is a success. */
  readonly isFailedAnswer?: (answer: Answer) => boolean;
  readonly isPassing: (failure: Error) => boolean;
  /** If true, other calls fail immediately while a trial call of the circuit runs. */
  readonly failsWhileTrying?: boolean;
  /** The `Retry-After` of the called service in milliseconds, or 0. */
  readonly retryAfterMs: (outcome: Error | Answer) => number;
}

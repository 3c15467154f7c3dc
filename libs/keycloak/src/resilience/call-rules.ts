import type { KeycloakException } from '../protocol/keycloak-exception.js';

/** With `timeout` the call took too long, with the others it was not made. */
export type EndedByPolicy = 'timeout' | 'queue_full' | 'circuit_open';

export interface CallRules<Answer = unknown> {
  readonly ended: (why: EndedByPolicy, retryAfterSeconds?: number) => KeycloakException;
  /** These errors open the circuit. */
  readonly isFailure: (error: Error) => boolean;
  /** Default: no answer is a failure. */
  readonly isFailedAnswer?: (answer: Answer) => boolean;
  readonly isPassing: (failure: Error) => boolean;
  /** Whether calls fail at once while the trial call of a half-open circuit runs. */
  readonly failsWhileTrying?: boolean;
  /** How long the called service asked callers to stay away, or 0. */
  readonly retryAfterMs: (outcome: Error | Answer) => number;
}

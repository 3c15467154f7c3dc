/** CallRules: what a policy needs to know about the called service, and the errors it fails with. */
import type { KeycloakException } from '../protocol/keycloak-exception.js';

/** With `timeout` the call took too long. With the others the call was not made. */
export type EndedByPolicy = 'timeout' | 'queue_full' | 'circuit_open';

export interface CallRules<Answer = unknown> {
  readonly ended: (why: EndedByPolicy, retryAfterSeconds?: number) => KeycloakException;
  /** Whether an error means that the called service is unhealthy. These errors open the circuit. */
  readonly isFailure: (error: Error) => boolean;
  /** The same for an answer. Default: no answer is a failure. */
  readonly isFailedAnswer?: (answer: Answer) => boolean;
  /** Whether a failure is transient, so that a retry may succeed. */
  readonly isPassing: (failure: Error) => boolean;
  /** Whether calls fail at once while the trial call of a half-open circuit runs. Default: they wait for it. */
  readonly failsWhileTrying?: boolean;
  /** How long the called service asked callers to stay away, or 0. */
  readonly retryAfterMs: (outcome: Error | Answer) => number;
}

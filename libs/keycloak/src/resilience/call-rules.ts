/** CallRules: what a policy must know of those whom it calls, and in whose words it fails. */
import type { KeycloakException } from '../protocol/keycloak-exception.js';

/** Why the policy ended a call: it took too long, or was not made at all. */
export type EndedByPolicy = 'timeout' | 'queue_full' | 'circuit_open';

/** `Answer`: what a call gives that does not throw. */
export interface CallRules<Answer = unknown> {
  /** The error that the caller gets. */
  readonly ended: (why: EndedByPolicy, retryAfterSeconds?: number) => KeycloakException;
  /** Whether an error says that the other side is not well: such failures open the circuit. */
  readonly isFailure: (error: Error) => boolean;
  /** The same of an answer. Default: none does. */
  readonly isFailedAnswer?: (answer: Answer) => boolean;
  /** Of the failures, those that may have passed when the call is made again. */
  readonly isPassing: (failure: Error) => boolean;
  /** Whether calls fail at once while the trial call of a half-open circuit runs. Default: they wait for it. */
  readonly failsWhileTrying?: boolean;
  /** How long the other side asked us to stay away with this error or answer; 0 when it did not. */
  readonly retryAfterMs: (outcome: Error | Answer) => number;
}

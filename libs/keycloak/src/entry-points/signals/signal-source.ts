import type { IssuerRecheck } from '../extension/index.js';
import type { AuthorizationServerFetch, Clock, ComponentLog, IssuedToken } from '../ports/signals.js';

/**
 * Tokens to deny at the source's issuer. `sid`: the tokens of a session, except its offline tokens. `sub`: the tokens
 * that a user got before `issuedBefore`, in seconds since the epoch.
 */
export type IssuerDenial = { readonly sid: string } | { readonly sub: string; readonly issuedBefore: number };

/** The result of one poll. */
export interface Signals {
  /** Tokens that are certainly no longer valid. */
  readonly denials: readonly IssuerDenial[];
  /** Tokens that may no longer be valid and must be introspected again. */
  readonly rechecks: readonly IssuerRecheck[];
  /** Whether the result has everything that ended in the requested time. */
  readonly isWhole: boolean;
  /**
   * Whether the server has certainly reported everything that ended before this poll began. An empty result is not a
   * proof.
   */
  readonly isHealthy: boolean;
  /** How long before this poll the healthy time ends, in milliseconds. Default 0. */
  readonly healthyUntilAgoMs?: number;
  /** Why a proof failed. The denials and rechecks are still applied. */
  readonly fault?: SignalSourceError | undefined;
  /** Time of the first event, by the server's clock, in milliseconds since the epoch. */
  readonly occurredAtMs?: number | undefined;
}

/** The issuer of a source, and the client that polls it. */
export interface SignalSourceContext {
  readonly issuer: string;
  /** The URL at which this service reaches the issuer. */
  readonly realmUrl: string;
  readonly clientId: string;
  /** Sends requests, with a bulkhead and a circuit breaker of its own. */
  readonly fetch: AuthorizationServerFetch['fetch'];
  /**
   * Requests a new token for this client at each call. `scope`: names of optional scopes, separated by spaces. Rejects
   * with `AuthorizationServerError`.
   */
  readonly login: (scope?: string) => Promise<IssuedToken>;
  readonly clock: Clock;
  /** The server's time in seconds since the epoch, exact to about a second after the first token. */
  readonly serverSeconds: () => number;
  /** Whether the source only runs a check, which must not create objects or remove events at the server. */
  readonly isTrial: boolean;
  /** Longest time between two proofs, in milliseconds. */
  readonly proofEveryMs: number;
  /** Log for facts that an operator needs and `poll` does not return. Do not log text from the server. */
  readonly log: ComponentLog;
}

export interface ConnectedSignalSource {
  /**
   * Asks once for the events of the last `sinceMs` milliseconds, which is 0 before the first read. A result may repeat
   * events.
   *
   * Rejects with `AuthorizationServerError`, or with `SignalSourceError` if the setup of the server has to change.
   */
  poll(sinceMs: number): Promise<Signals>;
}

/** A source for `RevocationEventsModule`, such as `keycloakEvents()` and `sharedSignals()`. */
export interface SignalSource {
  /** One word, for logs and metrics. */
  readonly name: string;
  connect(context: SignalSourceContext): ConnectedSignalSource;
}

/** Why a source can't be polled, for an operator. */
export const SIGNAL_SOURCE_REASONS = [
  'forbidden',
  'answered_unexpectedly',
  'events_disabled',
  'event_types_missing',
  'admin_events_disabled',
  'own_login_not_seen',
  'ssf_not_offered',
  'stream_missing',
  'stream_not_made',
  'stream_ambiguous',
  'stream_paused',
  'stream_disabled',
  'audience_missing',
  'events_not_delivered',
  'subjects_not_all',
  'signing_key_unknown',
  'verification_not_seen',
  'acknowledged_by_others',
] as const;

export type SignalSourceReason = (typeof SIGNAL_SOURCE_REASONS)[number];

export class SignalSourceError extends Error {
  constructor(
    readonly reason: SignalSourceReason,
    /** Advice for the operator, for the log. */
    readonly hint: string,
  ) {
    super(reason);
  }
}

import type { IssuerRecheck } from '../extension/index.js';
import type { AuthorizationServerFetch, Clock, ComponentLog, IssuedToken } from '../ports/signals.js';

/**
 * Names tokens to deny, which the polled issuer has issued. `sid` means the tokens of a session, except the offline
 * tokens. `sub` means the tokens that a user got before `issuedBefore` (seconds since the epoch).
 *
 * @experimental
 */
export type IssuerDenial = { readonly sid: string } | { readonly sub: string; readonly issuedBefore: number };

/**
 * The result of one poll.
 *
 * @experimental
 */
export interface Signals {
  /** Tokens that are certainly no longer valid. */
  readonly denials: readonly IssuerDenial[];
  /** Tokens that may no longer be valid and must be introspected again. */
  readonly rechecks: readonly IssuerRecheck[];
  /** Whether the result contains all events of the requested period. */
  readonly isWhole: boolean;
  /**
   * Whether the server has certainly reported all events that precede this poll. A result without events does not prove
   * that the source is healthy.
   */
  readonly isHealthy: boolean;
  /** The end of the healthy period, in milliseconds before this poll. Default 0. */
  readonly healthyUntilAgoMs?: number;
  /**
   * The reason why this poll does not prove that the source is healthy. The feed still applies the denials and
   * rechecks.
   */
  readonly fault?: SignalSourceError | undefined;
  /** The time of the first event, by the server's clock, in milliseconds since the epoch. */
  readonly occurredAtMs?: number | undefined;
}

/**
 * The issuer of a source, and the client that polls the source.
 *
 * @experimental
 */
export interface SignalSourceContext {
  readonly issuer: string;
  /** The URL at which this service reaches the issuer. */
  readonly realmUrl: string;
  readonly clientId: string;
  /** Sends requests through a separate bulkhead and a separate circuit breaker. */
  readonly fetch: AuthorizationServerFetch['fetch'];
  /**
   * Requests a new token for this client at each call, or rejects with `AuthorizationServerError`. `scope` contains
   * names of optional scopes, separated by spaces.
   */
  readonly login: (scope?: string) => Promise<IssuedToken>;
  readonly clock: Clock;
  /**
   * Returns the server's time in seconds since the epoch. After the first token response, the time is accurate to about
   * one second.
   */
  readonly serverSeconds: () => number;
  /** Whether the polls are only a trial, which must not create objects or remove events. */
  readonly isTrial: boolean;
  /** The longest time between two proofs, in milliseconds. */
  readonly proofEveryMs: number;
  /**
   * Logs facts for operators, in addition to the result of `poll`. The logged facts must not contain text from the
   * server.
   */
  readonly log: ComponentLog;
}

/** @experimental */
export interface ConnectedSignalSource {
  /**
   * Polls the events of the last `sinceMs` milliseconds. On the first read, and after a gap of over ten minutes, this is
   * only the time since the poll began. A result may repeat events.
   *
   * Rejects with `AuthorizationServerError`, or with `SignalSourceError` if an operator must change the server's
   * settings.
   */
  poll(sinceMs: number): Promise<Signals>;
}

/**
 * A source of revocation events for `RevocationEventsModule`, such as `keycloakEvents()` and `sharedSignals()`.
 *
 * @experimental
 */
export interface SignalSource {
  /** The name of the source in logs and metrics, in one word. */
  readonly name: string;
  connect(context: SignalSourceContext): ConnectedSignalSource;
}

/** The reasons that tell an operator why a source can't be polled. */
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
    readonly hint: string,
  ) {
    super(reason);
  }
}

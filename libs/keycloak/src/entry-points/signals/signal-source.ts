/** Signal source: tells which tokens ended for certain, which may have ended, and whether it may have missed any. */
import type { IssuerRecheck } from '../extension/index.js';
import type { AuthorizationServerFetch, Clock, ComponentLog, IssuedToken } from '../ports/signals.js';

/** What is to be refused, at the one issuer of the source: a session that has ended, whose offline session may live on, or what a user was issued until then. */
export type IssuerDenial = { readonly sid: string } | { readonly sub: string; readonly issuedBefore: number };

/** What one poll brought. */
export interface Signals {
  /** What has certainly ended. */
  readonly denials: readonly IssuerDenial[];
  /** What may have ended. */
  readonly rechecks: readonly IssuerRecheck[];
  /** Whether this is all that ended in the time that was asked for. */
  readonly isWhole: boolean;
  /** Whether it is certain that the server would have shown all that ended until this poll began. An empty answer proves nothing. */
  readonly isProven: boolean;
  /** How long before this poll began that time lies, in milliseconds, where the proof is of a moment before it. Default 0. */
  readonly provenAgoMs?: number;
  /** Why it is not, where it was to be: what was heard is heard all the same. */
  readonly fault?: SignalSourceError | undefined;
  /** When the first of it happened, by the server's time, in milliseconds since the epoch; for whoever shows how late it is heard. */
  readonly occurredAtMs?: number | undefined;
}

/** What a source is connected with: one issuer, and this service's client there. */
export interface SignalSourceContext {
  readonly issuer: string;
  /** Where the issuer is reached. */
  readonly realmUrl: string;
  readonly clientId: string;
  /** Calls of the server, with slots and a circuit of their own. */
  readonly fetch: AuthorizationServerFetch['fetch'];
  /** A token in this client's own name, new each time; `scope`: names of optional scopes, with spaces between. Rejects with `AuthorizationServerError`. */
  readonly login: (scope?: string) => Promise<IssuedToken>;
  readonly clock: Clock;
  /** The time of the server, in seconds since the epoch, as far as it is known: within a second or so once a token was issued. */
  readonly serverSeconds: () => number;
  /** It is only tried whether it would be heard: nothing may be set up at the server, and what it has to tell stays there. */
  readonly isTrial: boolean;
  /** How often it must be proven at least that the server tells all, so that answers never serve for less than they might. */
  readonly proofEveryMs: number;
  /** For what an operator should know and no caller of `poll` does; no text of the server goes there. */
  readonly log: ComponentLog;
}

export interface ConnectedSignalSource {
  /**
   * Asks once what has ended in the last `sinceMs` milliseconds: since then everything was heard, here or by another replica. 0 where nothing was heard before. What was heard already may come again.
   *
   * Rejects with `AuthorizationServerError`, or `SignalSourceError` for a server that can't be listened to as it is set up.
   */
  poll(sinceMs: number): Promise<Signals>;
}

/** For `RevocationEventsModule`, such as `keycloakEvents()` and `sharedSignals()`. */
export interface SignalSource {
  /** One word, for logs and metrics. */
  readonly name: string;
  connect(context: SignalSourceContext): ConnectedSignalSource;
}

/** Why the server can't be listened to, for an operator. */
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
    /** What to do, for the log. */
    readonly hint: string,
  ) {
    super(reason);
  }
}

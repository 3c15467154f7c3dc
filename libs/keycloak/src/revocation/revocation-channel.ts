import type { Clock } from '../caching/clock.js';
import type { ReadDenial } from '../protocol/denial.js';
import type { ChannelRefusal } from './channel-refusals.js';
import type { IssuerRecheck } from './rechecks.js';
import type { ReceivedPeriod } from './signal-proof.js';

/** A message to all replicas; `at` is in epoch seconds, by the sender's clock. */
export type SharedRevocation =
  | { readonly kind: 'denial'; readonly denial: ReadDenial; readonly at: number }
  /** `id` is random, and identifies duplicates. */
  | { readonly kind: 'recheck'; readonly recheck: IssuerRecheck; readonly at: number; readonly id: string }
  /** Replaces denials that a full list dropped: every token issued before `at` is refused. */
  | { readonly kind: 'floor'; readonly at: number };

/** The callbacks of a channel, which never throw. */
export interface RevocationReceiver {
  /** Receives an entry and the entry's age in the channel, by the channel's clock. */
  received(revocation: SharedRevocation, channelAgeSeconds: number): void;
  /** Reports that everything was received, at the start and after each outage or gap. */
  caughtUp(): void;
  /**
   * Reports that the channel reads all entries again, because entries may be lost. This replica must then append
   * missing entries that it holds, including other replicas' entries.
   */
  gap(reason: string): void;
  /** Reports a failed read, which the channel retries; `hint` says what an operator can do. */
  lost(reason: string, hint?: string): void;
  /** Reports a period for which all revocations of the authorization server have been received. */
  healthy(period: { readonly sinceAgoMs: number; readonly untilAgoMs: number }): void;
  /**
   * Reports entries that differ from the proof, are unreadable, or may have no effect. The feed is then unhealthy until
   * the next proof.
   */
  unhealthy(): void;
  /** Reports an entry or a proof that this replica does not accept. */
  refused(reason: ChannelRefusal): void;
  /** Reports after each read which entries and proofs this replica can open. */
  examined(found: ChannelReadability): void;
}

/** Whether the keys of this replica can open the current content of the channel. */
export interface ChannelReadability {
  /** Counts entries and proofs with an unknown key or of a newer version. */
  readonly unreadable: number;
  /** Whether a key of this replica has opened an entry or a proof. */
  readonly hasOpened: boolean;
}

export interface ProofKeysStatus {
  /** Whether this process has a private key, which a poller needs. */
  readonly canSign: boolean;
  /** The number of trusted public keys, without which no proof is accepted. */
  readonly publicKeys: number;
}

export interface FeedLease {
  /** Grows with each new holder, so that the channel refuses proofs of earlier holders. */
  readonly fencing: number;
  /** The time of the grant or the last renewal, by the channel's clock. */
  readonly grantedAtMs: number;
}

/** `lease_lost`: another replica may poll by now; `behind`: this replica has not received all entries. */
export type ProofOutcome = 'taken' | 'lease_lost' | 'behind';

/** Gives one replica an expiring lease to poll the authorization server for all replicas. */
export interface ProofChannel {
  /**
   * Takes or renews the lease, or returns undefined while another replica holds the lease. Rejects if the outcome is
   * unknown.
   */
  lease(leaseMs: number): Promise<FeedLease | undefined>;
  /**
   * Publishes a proof to all replicas. The proof covers all received entries, and has times of the channel's clock.
   * Rejects if the outcome is unknown.
   */
  prove(lease: FeedLease, period: ReceivedPeriod): Promise<ProofOutcome>;
  /** Releases the lease, and rejects if the outcome is unknown. */
  release(): Promise<void>;
}

export interface RevocationChannelContext {
  /** The issuer of the realm; services of different realms share no denials. */
  readonly issuer: string;
  readonly memorySeconds: number;
  readonly recheckSeconds: number;
  readonly maxRevocations: number;
  readonly allowInsecureRequests: boolean;
  readonly clock: Clock;
}

export interface ConnectedRevocationChannel {
  /**
   * Appends entries, and resolves when the channel has accepted all entries. Rejects if the outcome is unknown; the
   * caller may then append the entries again.
   */
  append(revocations: readonly SharedRevocation[]): Promise<void>;
  /**
   * To store no entry twice, appends only if this replica has received everything. Returns false if other replicas
   * appended meanwhile, because those entries must be read first.
   */
  appendAgain(revocations: readonly SharedRevocation[]): Promise<boolean>;
  /** Without `proofs`, each replica polls the authorization server for itself. */
  readonly proofs?: ProofChannel;
  /** Stops reading the channel, no longer calls the receiver, and does not reject. */
  close(): Promise<void>;
}

/** A problem that makes the channel unusable, described without keys or passwords. */
export interface ChannelFault {
  readonly message: string;
  readonly cure: string;
}

export interface ChannelExamination {
  /** The address of the channel, for example `Valkey at valkey.internal:6379, database 0`. */
  readonly place: string;
  /** The problems of the channel; empty if the service can use the channel. */
  readonly faults: readonly ChannelFault[];
  /** Fingerprints of the realm's shared keys; the first key seals new entries. */
  readonly keyFingerprints: readonly string[];
  /** The last proof of a poller, without an age if none exists; undefined if not examined. */
  readonly proof?: ChannelProof;
}

export interface ChannelProof {
  /** Whether a new proof was written during the examination. */
  readonly isRenewed: boolean;
  readonly ageSeconds: number | undefined;
}

export interface ChannelQuestion {
  /** Whether this service polls the authorization server for all replicas, which needs more rights. */
  readonly isPoller: boolean;
  /** The wait for a new proof; 0 if proofs do not matter to this service. */
  readonly proofWaitMs: number;
}

/** `valkeyRevocations()` of `nestjs-keycloak-s2s/valkey` returns such a channel for the option `revocationChannel`. */
export interface RevocationChannel {
  /**
   * Checks the settings at boot, and sends no data. If the settings are unusable, throws an error with a message for
   * the operator.
   */
  check(context: RevocationChannelContext): void;
  /** Returns the status of the keys for proofs; a channel without proofs or keys lacks this method. */
  proofKeys?(): ProofKeysStatus;
  /** Starts to read the channel, and continues after outages until the channel is closed. */
  connect(context: RevocationChannelContext, receiver: RevocationReceiver): ConnectedRevocationChannel;
  /**
   * Examines the channel once, changes no data in the channel, and does not reject. Without this method, doctor reports
   * that the channel is unchecked.
   */
  examine?(context: RevocationChannelContext, question: ChannelQuestion): Promise<ChannelExamination>;
}

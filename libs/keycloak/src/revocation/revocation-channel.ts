import type { Clock } from '../caching/clock.js';
import type { ReadDenial } from '../protocol/denial.js';
import type { ChannelRefusal } from './channel-refusals.js';
import type { IssuerRecheck } from './rechecks.js';
import type { ReceivedPeriod } from './signal-proof.js';

/**
 * A message from one replica to all replicas; `at` is its time in seconds since the epoch, by the clock of the sender.
 */
export type SharedRevocation =
  | { readonly kind: 'denial'; readonly denial: ReadDenial; readonly at: number }
  /** `id` is random, and identifies duplicates. */
  | { readonly kind: 'recheck'; readonly recheck: IssuerRecheck; readonly at: number; readonly id: string }
  /** Replaces denials that a full list dropped: every token issued before `at` is refused. */
  | { readonly kind: 'floor'; readonly at: number };

/** The callbacks of a channel, which never throw. */
export interface RevocationReceiver {
  /** Receives an entry that the channel accepted `channelAgeSeconds` ago, by the clock of the channel. */
  received(revocation: SharedRevocation, channelAgeSeconds: number): void;
  /**
   * Reports that this replica has received everything in the channel: for the first time, after an outage, or again
   * after a gap.
   */
  caughtUp(): void;
  /**
   * Reports that the channel is read again from the beginning, because the channel may have lost entries. This replica
   * must append all held entries that the second read does not contain, including entries of other replicas.
   */
  gap(reason: string): void;
  /**
   * Reports that the channel can't be read, and that the channel retries the read; `hint` says what an operator can do,
   * if known.
   */
  lost(reason: string, hint?: string): void;
  /** Reports a period for which all revocations of the authorization server have been received. */
  healthy(period: { readonly sinceAgoMs: number; readonly untilAgoMs: number }): void;
  /**
   * Reports received entries that differ from the entries of the proof, that are unreadable, or that may have no
   * effect. The feed is then unhealthy until the next proof.
   */
  unhealthy(): void;
  /** Reports an entry or a proof of the channel that this replica does not accept. */
  refused(reason: ChannelRefusal): void;
  /** Reports after each read which entries and proofs this replica can open. */
  examined(found: ChannelReadability): void;
}

/** Whether the keys of this replica can open the current content of the channel. */
export interface ChannelReadability {
  /** The number of entries and proofs that were sealed with an unknown key or written by a newer version. */
  readonly unreadable: number;
  /** Whether a key of this replica has opened at least one entry or proof in the channel. */
  readonly hasOpened: boolean;
}

export interface ProofKeysStatus {
  /** Whether this process has a private key, which a poller needs. */
  readonly canSign: boolean;
  /** The number of trusted public keys, without which no proof is accepted. */
  readonly publicKeys: number;
}

/** A lease that expires by itself, and lets one replica poll the authorization server for all replicas. */
export interface FeedLease {
  /**
   * A fencing token, which grows with each new holder of the lease, so that the channel refuses proofs of earlier
   * holders.
   */
  readonly fencing: number;
  /** The time of the grant or the last renewal, by the clock of the channel. */
  readonly grantedAtMs: number;
}

/**
 * `lease_lost` means that another replica may poll by now; `behind` means that this replica has not received all
 * entries yet.
 */
export type ProofOutcome = 'taken' | 'lease_lost' | 'behind';

/** The part of a channel that lets one replica poll the authorization server for all replicas. */
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
   * Appends entries, and resolves when the channel has accepted all entries. An append may be repeated, and rejects if
   * the outcome is unknown.
   */
  append(revocations: readonly SharedRevocation[]): Promise<void>;
  /**
   * Appends entries that the channel may hold already, but only if this replica has received everything, so that no
   * entry is stored twice. Returns false if other replicas have appended entries meanwhile, because those entries must
   * be read first.
   */
  appendAgain(revocations: readonly SharedRevocation[]): Promise<boolean>;
  /** Without `proofs`, each replica polls the authorization server for itself. */
  readonly proofs?: ProofChannel;
  /** Stops reading the channel, no longer calls the receiver, and does not reject. */
  close(): Promise<void>;
}

/** A problem that keeps a service from using its channel, described for an operator without keys or passwords. */
export interface ChannelFault {
  readonly message: string;
  readonly cure: string;
}

export interface ChannelExamination {
  /** The address of the channel, for example `Valkey at valkey.internal:6379, database 0`. */
  readonly place: string;
  /** The problems of the channel; empty if the service can use the channel. */
  readonly faults: readonly ChannelFault[];
  /** Fingerprints of the keys, which all services of the realm share; the first key seals new entries. */
  readonly keyFingerprints: readonly string[];
  /**
   * The last proof of a poller, without an age if no proof exists; undefined if the examination did not look for a
   * proof.
   */
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
  /** The time to wait for a new proof; 0 if proofs do not matter to this service. */
  readonly proofWaitMs: number;
}

/** The option `revocationChannel` of `forRoot()`, such as `valkeyRevocations()` of `nestjs-keycloak-s2s/valkey`. */
export interface RevocationChannel {
  /**
   * Checks the settings at boot, and sends no data. If the settings are unusable, throws an error with a message for
   * the operator.
   */
  check(context: RevocationChannelContext): void;
  /**
   * Returns the status of the current keys of the channel's proofs; absent if the channel has no proofs, or needs no
   * keys for proofs.
   */
  proofKeys?(): ProofKeysStatus;
  /** Starts to read the channel, and continues after outages until the channel is closed. */
  connect(context: RevocationChannelContext, receiver: RevocationReceiver): ConnectedRevocationChannel;
  /**
   * Examines the channel once, changes no data in the channel, and does not reject. Without this method, doctor reports
   * that the channel is unchecked.
   */
  examine?(context: RevocationChannelContext, question: ChannelQuestion): Promise<ChannelExamination>;
}

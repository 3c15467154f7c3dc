import type { Clock } from '../caching/clock.js';
import type { ReadDenial } from '../protocol/denial.js';
import type { ChannelRefusal } from './channel-refusals.js';
import type { IssuerRecheck } from './rechecks.js';
import type { ReceivedPeriod } from './signal-proof.js';

/** A message to all replicas; `at` is in epoch seconds, by the sender's clock. */
export type SharedRevocation =
  | { readonly kind: 'denial'; readonly denial: ReadDenial; readonly at: number }
  /** Receivers recognize duplicates by the random `id`. */
  | { readonly kind: 'recheck'; readonly recheck: IssuerRecheck; readonly at: number; readonly id: string }
  /** A floor replaces the denials that a full list dropped: every token issued before `at` is refused. */
  | { readonly kind: 'floor'; readonly at: number };

/** The callbacks that a channel calls; no callback throws. */
export interface RevocationReceiver {
  /** `channelAgeSeconds` is the entry's age by the channel's clock. */
  received(revocation: SharedRevocation, channelAgeSeconds: number): void;
  /** Reports that this replica has read the whole channel: after the start, and after each outage or gap. */
  caughtUp(): void;
  /**
   * Reports that the channel reads all entries again, because entries may be lost. After a gap, this replica must
   * append the entries that the channel lacks, including other replicas' entries.
   */
  gap(reason: string): void;
  /** Reports a failed read, which the channel retries; `hint` says what an operator can do. */
  lost(reason: string, hint?: string): void;
  /** Reports a period for which all revocations of the authorization server have been received. */
  healthy(period: { readonly sinceAgoMs: number; readonly untilAgoMs: number }): void;
  /**
   * Reports an unreadable entry, an entry with a wrong arrival time, or a gap of the poller. The feed is unhealthy from
   * the call of `unhealthy()` until the next proof.
   */
  unhealthy(): void;
  /** Reports an entry or a proof that this replica does not accept. */
  refused(reason: ChannelRefusal): void;
  /** Reports after each read whether this replica can decrypt the entries and proofs. */
  examined(found: ChannelReadability): void;
}

/** Whether the keys of this replica can decrypt the current content of the channel. */
export interface ChannelReadability {
  /** The number of entries and proofs that have an unknown key or a newer version. */
  readonly unreadable: number;
  /** Whether a key of this replica has decrypted an entry or a proof. */
  readonly hasOpened: boolean;
}

export interface ProofKeysStatus {
  /** Whether this process has a private key, which a poller needs. */
  readonly canSign: boolean;
  /** The number of trusted public keys; with 0, this process accepts no proof. */
  readonly publicKeys: number;
}

export interface FeedLease {
  /** Grows with each new holder of the lease, so that the channel refuses proofs of earlier holders. */
  readonly fencing: number;
  /** The time when the lease was granted or last renewed, by the channel's clock. */
  readonly grantedAtMs: number;
}

/**
 * `lease_lost`: another replica may hold the lease. `behind`: this replica must receive more entries before the channel
 * accepts a proof.
 */
export type ProofOutcome = 'taken' | 'lease_lost' | 'behind';

/** Grants one replica at a time a lease to poll the authorization server for all replicas. */
export interface ProofChannel {
  /**
   * Takes or renews the lease, or returns undefined while another replica holds the lease. Rejects if it is unknown
   * whether this replica holds the lease.
   */
  lease(leaseMs: number): Promise<FeedLease | undefined>;
  /**
   * Publishes a proof to all replicas. The proof covers all entries that this replica has received; its times are by
   * the channel's clock. Rejects if it is unknown whether the channel has stored the proof.
   */
  prove(lease: FeedLease, period: ReceivedPeriod): Promise<ProofOutcome>;
  /** Releases the lease, and rejects if it is unknown whether the lease was released. */
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
   * Appends entries, and resolves when the channel has accepted all entries. Rejects if it is unknown whether the
   * channel has stored the entries; the caller may append the entries again.
   */
  append(revocations: readonly SharedRevocation[]): Promise<void>;
  /**
   * Appends only if this replica has read the whole channel, so that no entry is stored twice. Returns false if another
   * replica has appended an entry that this replica has not read.
   */
  appendAgain(revocations: readonly SharedRevocation[]): Promise<boolean>;
  /** Without `proofs`, each replica polls the authorization server for itself. */
  readonly proofs?: ProofChannel;
  /** Stops reading the channel and calling the receiver; the promise never rejects. */
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
  /** Fingerprints of the realm's shared keys; the first key encrypts new entries. */
  readonly keyFingerprints: readonly string[];
  /** `proof` is undefined if proofs were not examined; `ageSeconds` is undefined if no proof exists. */
  readonly proof?: ChannelProof;
}

export interface ChannelProof {
  /** Whether a new proof was written during the examination. */
  readonly isRenewed: boolean;
  readonly ageSeconds: number | undefined;
}

export interface ChannelQuestion {
  /** Whether this service polls the authorization server for all replicas; a poller needs more access rights. */
  readonly isPoller: boolean;
  /** How long to wait for a new proof; 0 if this service needs no proofs. */
  readonly proofWaitMs: number;
}

/** `valkeyRevocations()` of `nestjs-keycloak-s2s/valkey` returns a channel for the option `revocationChannel`. */
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
   * Examines the channel once without changing its data; the promise never rejects. If this method is missing, the
   * `doctor` command reports that the channel was not checked.
   */
  examine?(context: RevocationChannelContext, question: ChannelQuestion): Promise<ChannelExamination>;
}

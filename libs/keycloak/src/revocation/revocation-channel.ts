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

/** The callbacks of a channel; none of them throws. */
export interface RevocationReceiver {
  /** `channelAgeSeconds` is the time since the channel accepted the entry, by the clock of the channel. */
  received(revocation: SharedRevocation, channelAgeSeconds: number): void;
  /** Everything in the channel has been received: for the first time, after an outage, or again after a gap. */
  caughtUp(): void;
  /**
   * The channel may have lost entries, and is read again from its beginning. This replica must append again the entries
   * that it holds and does not receive.
   */
  gap(reason: string): void;
  /** The channel can't be read, and retries by itself; `hint` is what an operator can do, if known. */
  lost(reason: string, hint?: string): void;
  /** All revocations of this period at the authorization server have been received. */
  healthy(period: { readonly sinceAgoMs: number; readonly untilAgoMs: number }): void;
  /** The received entries differ from the entries of the proof, so the feed is unhealthy until the next proof. */
  unhealthy(): void;
  /** Call it once for each entry or proof of the channel that this replica does not accept. */
  refused(reason: ChannelRefusal): void;
  /** Call it after each read, to report which entries and proofs this replica can open. */
  examined(found: ChannelReadability): void;
}

/** Whether the keys of this replica can open the current content of the channel. */
export interface ChannelReadability {
  /** Entries and proofs that this replica has no key for, or that a newer version wrote. */
  readonly unreadable: number;
  /** Whether a key of this replica has opened any other entry or proof in the channel. */
  readonly hasOpened: boolean;
}

/** The keys that sign and verify proofs. */
export interface ProofKeysStatus {
  /** Whether this process has a private key, which a poller needs. */
  readonly canSign: boolean;
  /** The number of trusted public keys; without one no proof is accepted. */
  readonly publicKeys: number;
}

/** A lease that lets one replica poll the authorization server for all replicas, and expires by itself. */
export interface FeedLease {
  /** A fencing token: it grows with each new holder, and the channel refuses proofs of earlier holders. */
  readonly fencing: number;
  /** The time of the grant or the last renewal, by the clock of the channel. */
  readonly grantedAtMs: number;
}

/**
 * `lease_lost` means that another replica may poll by now; `behind` means that this replica has not received all
 * entries yet.
 */
export type ProofOutcome = 'taken' | 'lease_lost' | 'behind';

/** The part of a channel that lets one replica poll for all. */
export interface ProofChannel {
  /** Takes or renews the lease; undefined while another replica holds it. Rejects if the outcome is unknown. */
  lease(leaseMs: number): Promise<FeedLease | undefined>;
  /**
   * Publishes a proof to all replicas, behind all entries that this replica has received, with times by the channel's
   * clock. Rejects if the outcome is unknown.
   */
  prove(lease: FeedLease, period: ReceivedPeriod): Promise<ProofOutcome>;
  /** Returns the lease; rejects if the outcome is unknown. */
  release(): Promise<void>;
}

export interface RevocationChannelContext {
  /** Services of different realms share no denials. */
  readonly issuer: string;
  readonly memorySeconds: number;
  readonly recheckSeconds: number;
  readonly maxRevocations: number;
  readonly allowInsecureRequests: boolean;
  readonly clock: Clock;
}

export interface ConnectedRevocationChannel {
  /**
   * Resolves when the channel has accepted all entries; an append may be repeated. Rejects if the outcome is unknown.
   */
  append(revocations: readonly SharedRevocation[]): Promise<void>;
  /**
   * Appends entries that the channel may hold already, but only if this replica has received everything, so that
   * nothing is stored twice. Returns false if other replicas have appended meanwhile: their entries must be read first.
   */
  appendAgain(revocations: readonly SharedRevocation[]): Promise<boolean>;
  /** Without `proofs`, each replica polls the authorization server for itself. */
  readonly proofs?: ProofChannel;
  /** Stops reading and no longer calls the receiver; does not reject. */
  close(): Promise<void>;
}

/** A problem that keeps a service from using its channel, described for an operator without keys or passwords. */
export interface ChannelFault {
  readonly message: string;
  readonly cure: string;
}

export interface ChannelExamination {
  /** For example `Valkey at valkey.internal:6379, database 0`. */
  readonly place: string;
  /** Empty if the service can use the channel. */
  readonly faults: readonly ChannelFault[];
  /** Fingerprints of the keys, which are the same at every service of the realm; the first key seals. */
  readonly keyFingerprints: readonly string[];
  /** The proof that a process polls the authorization server; undefined if the examination did not look for it. */
  readonly proof?: ChannelProof;
}

export interface ChannelProof {
  /** Whether another proof was written during the examination. */
  readonly isRenewed: boolean;
  /** The age of the last proof; undefined without a proof. */
  readonly ageSeconds: number | undefined;
}

export interface ChannelQuestion {
  /** Whether this service polls the authorization server for all replicas, which needs more rights. */
  readonly isPoller: boolean;
  /** How long to wait for another proof; 0 if proofs do not matter to this service. */
  readonly proofWaitMs: number;
}

/** The option `revocationChannel` of `forRoot()`, such as `valkeyRevocations()` of `nestjs-keycloak-s2s/valkey`. */
export interface RevocationChannel {
  /** Called at boot, sends nothing, and throws for unusable settings, with a message for the operator. */
  check(context: RevocationChannelContext): void;
  /** The current keys of the channel's proofs; absent if the channel has proofs without keys, or no proofs. */
  proofKeys?(): ProofKeysStatus;
  /** Starts reading, and continues through outages until the channel is closed. */
  connect(context: RevocationChannelContext, receiver: RevocationReceiver): ConnectedRevocationChannel;
  /**
   * Examines the channel once without changes, and does not reject; without this method, doctor reports an unchecked
   * channel.
   */
  examine?(context: RevocationChannelContext, question: ChannelQuestion): Promise<ChannelExamination>;
}

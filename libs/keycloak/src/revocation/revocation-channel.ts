import type { Clock } from '../caching/clock.js';
import type { ReadDenial } from '../protocol/denial.js';
import type { ChannelRefusal } from './channel-refusals.js';
import type { IssuerRecheck } from './rechecks.js';
import type { HeardStretch } from './signal-proof.js';

/** A message of one replica to all; `at` is its time in seconds since the epoch, by the clock of that replica. */
export type SharedRevocation =
  | { readonly kind: 'denial'; readonly denial: ReadDenial; readonly at: number }
  /** `id`: random; identifies duplicates. */
  | { readonly kind: 'recheck'; readonly recheck: IssuerRecheck; readonly at: number; readonly id: string }
  /** Replaces denials that a full list dropped: every token issued before `at` is refused. */
  | { readonly kind: 'floor'; readonly at: number };

/** The callbacks of a channel; none of them throws. */
export interface RevocationReceiver {
  /** `channelAgeSeconds`: how long ago the channel took it, by the clock of the channel. */
  received(revocation: SharedRevocation, channelAgeSeconds: number): void;
  /** Everything in the channel has been received: for the first time, after an outage, or again after a gap. */
  caughtUp(): void;
  /** The channel may have lost entries, so this replica must append again what it holds and does not receive. */
  gap(reason: string): void;
  /** The channel can't be read, and retries by itself; `hint` is what an operator can do, if known. */
  lost(reason: string, hint?: string): void;
  /** Every revocation at the authorization server in this period was received before. */
  proven(heard: { readonly sinceAgoMs: number; readonly untilAgoMs: number }): void;
  /** The received entries are not the proven ones, so nothing is proven until the next proof. */
  unproven(): void;
  /** This replica does not accept an entry or a proof of the channel; call it once for each. */
  refused(reason: ChannelRefusal): void;
  /** Call it after each read, with the part of the channel that this replica has keys for. */
  examined(found: ChannelReadability): void;
}

/** Whether this replica has the keys of what the channel holds now. */
export interface ChannelReadability {
  /** Entries and proofs that this replica has no key for, or that a newer version wrote. */
  readonly unreadable: number;
  /** Whether a key of this replica has opened anything else in the channel. */
  readonly hasOpened: boolean;
}

/** The keys that sign and verify proofs. */
export interface ProofKeysStatus {
  /** Whether this process has a private key, as a poller must. */
  readonly canSign: boolean;
  /** The number of trusted public keys; without one no proof is accepted. */
  readonly publicKeys: number;
}

/** The right of one replica to poll the authorization server for all, which expires by itself. */
export interface FeedLease {
  /** A fencing token: it grows with each new holder, and the channel refuses proofs of earlier holders. */
  readonly fencing: number;
  /** When the channel granted or renewed it, by the clock of the channel. */
  readonly grantedAtMs: number;
}

/**
 * - `lease_lost`: another replica may poll by now. `behind`: this replica has not received everything in the channel
 * yet.
 */
export type ProofOutcome = 'taken' | 'lease_lost' | 'behind';

/** The part of a channel that lets one replica poll for all. */
export interface ProofChannel {
  /** Takes or renews the lease; undefined while another replica holds it. Rejects if the outcome is unknown. */
  lease(leaseMs: number): Promise<FeedLease | undefined>;
  /**
   * Publishes a proof to all replicas, after everything that this one has received, with times by the channel's clock.
   * Rejects if the outcome is unknown.
   */
  prove(lease: FeedLease, heard: HeardStretch): Promise<ProofOutcome>;
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
  /** Resolves when the channel has taken all of them, which may be repeated. Rejects if the outcome is unknown. */
  append(revocations: readonly SharedRevocation[]): Promise<void>;
  /**
   * Appends entries that the channel may hold already, but only if this replica has received everything, so that
   * nothing is stored twice. Returns false if other replicas have appended meanwhile: their entries must be read first.
   */
  appendAgain(revocations: readonly SharedRevocation[]): Promise<boolean>;
  /** Without it, each replica polls for itself and proves only to itself. */
  readonly proofs?: ProofChannel;
  /** Stops reading and calls the receiver no more; does not reject. */
  close(): Promise<void>;
}

/** A problem that keeps a service from using its channel, for an operator; it holds no key and no password. */
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

/** For `forRoot({ revocationChannel })`, such as `valkeyRevocations()` of `nestjs-keycloak-s2s/valkey`. */
export interface RevocationChannel {
  /** Called at boot, sends nothing, and throws for unusable settings, with a message for the operator. */
  check(context: RevocationChannelContext): void;
  /** The current keys of its proofs; absent if the channel has proofs without keys, or no proofs. */
  proofKeys?(): ProofKeysStatus;
  /** Starts reading, and continues until it is closed, through any outage of the channel. */
  connect(context: RevocationChannelContext, receiver: RevocationReceiver): ConnectedRevocationChannel;
  /** Looks at the channel once, changes nothing and does not reject; without it doctor reports an unchecked channel. */
  examine?(context: RevocationChannelContext, question: ChannelQuestion): Promise<ChannelExamination>;
}

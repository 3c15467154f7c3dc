/** Revocation channel: what carries denials and rechecks between the replicas of all services. Doors implement it. */
import type { Clock } from '../caching/clock.js';
import type { ReadDenial } from '../protocol/denial.js';
import type { ChannelRefusal } from './channel-refusals.js';
import type { IssuerRecheck } from './rechecks.js';
import type { HeardStretch } from './signal-proof.js';

/** What one replica says to all. `at`: when, in seconds since the epoch, by the clock of that replica. */
export type SharedRevocation =
  | { readonly kind: 'denial'; readonly denial: ReadDenial; readonly at: number }
  /** `id`: random; what comes twice is one. */
  | { readonly kind: 'recheck'; readonly recheck: IssuerRecheck; readonly at: number; readonly id: string }
  /** Of denials that a full list dropped: every token issued before `at` is refused. */
  | { readonly kind: 'floor'; readonly at: number };

/** What the channel tells the replica. None of them throws. */
export interface RevocationReceiver {
  /** `channelAgeSeconds`: how long ago the channel took it, by its own clock. */
  received(revocation: SharedRevocation, channelAgeSeconds: number): void;
  /** Everything that the channel held has been received: for the first time, after an outage, or again after a gap. */
  caughtUp(): void;
  /** The channel may have lost something, and is read from its beginning. This replica must append again what it holds and does not receive. */
  gap(reason: string): void;
  /** The channel can't be read; it tries again. `hint`: what an operator can do, where that is known. */
  lost(reason: string, hint?: string): void;
  /** Everything that ended at the authorization server in that time was received before. Both are so many milliseconds ago. */
  proven(heard: { readonly sinceAgoMs: number; readonly untilAgoMs: number }): void;
  /** What was received is not what was proven: until the next proof nothing is. */
  unproven(): void;
  /** The channel holds an entry or a proof that this replica does not accept. Call it once for each. */
  refused(reason: ChannelRefusal): void;
  /** After each look at the channel: what of it this replica has the keys for. */
  examined(found: ChannelReadability): void;
}

/** Whether this replica has the keys of what the channel holds now. */
export interface ChannelReadability {
  /** How many entries and proofs this replica has no key for, or a newer version wrote. */
  readonly unreadable: number;
  /** Whether a key of this replica has opened anything else in the channel. */
  readonly hasOpened: boolean;
}

/** The keys by which proofs are signed and verified. */
export interface ProofKeysStatus {
  /** Whether this process has a private key, as a poller must. */
  readonly canSign: boolean;
  /** How many public keys it trusts. Without one it accepts no proof. */
  readonly publicKeys: number;
}

/** The right to listen to the authorization server for all replicas. It ends by itself. */
export interface FeedLease {
  /** Larger with each replica that gets it: the channel takes no proof of one who had it before (a fencing token). */
  readonly fencing: number;
  /** When the channel gave or renewed it, by its own clock. What this replica does with the answer is later. */
  readonly grantedAtMs: number;
}

/** - `lease_lost`: another replica may listen by now. `behind`: there is something in the channel that this replica has not received yet. */
export type ProofOutcome = 'taken' | 'lease_lost' | 'behind';

/** The part of a channel that has one replica listen for all. */
export interface ProofChannel {
  /** Takes the lease, or renews it. Undefined while another replica has it. Rejects where that is not known. */
  lease(leaseMs: number): Promise<FeedLease | undefined>;
  /** Tells all replicas, after everything that this one has received. Times are the channel's. Rejects when it is not certain. */
  prove(lease: FeedLease, heard: HeardStretch): Promise<ProofOutcome>;
  /** Gives the lease back. Rejects where that is not certain. */
  release(): Promise<void>;
}

export interface RevocationChannelContext {
  /** Of the tokens that are denied: services of other realms share nothing. */
  readonly issuer: string;
  /** How long a denial is held. */
  readonly memorySeconds: number;
  /** How long a recheck is of use. */
  readonly recheckSeconds: number;
  /** How many denials each replica holds at most. */
  readonly maxRevocations: number;
  /** Whether passwords may travel unencrypted. */
  readonly allowInsecureRequests: boolean;
  readonly clock: Clock;
}

export interface ConnectedRevocationChannel {
  /** Resolves when the channel has taken all of them. Rejects when that is not certain: to append the same again does no harm. */
  append(revocations: readonly SharedRevocation[]): Promise<void>;
  /**
   * The same for what the channel may hold already: only if this replica has received all of it, so that nothing is in it twice. False if others have appended
   * meanwhile: what they did comes first.
   */
  appendAgain(revocations: readonly SharedRevocation[]): Promise<boolean>;
  /** Without it each replica that listens proves to itself alone. */
  readonly proofs?: ProofChannel;
  /** Ends reading; afterwards nothing is told any more. Does not reject. */
  close(): Promise<void>;
}

/** Something that keeps a service from using its channel, for an operator. Both sentences hold no key and no password. */
export interface ChannelFault {
  readonly message: string;
  readonly cure: string;
}

/** The result when doctor looks at a channel once. */
export interface ChannelExamination {
  /** For example `Valkey at valkey.internal:6379, database 0`. */
  readonly place: string;
  /** Empty if the service can use the channel. */
  readonly faults: readonly ChannelFault[];
  /** Fingerprints of the keys, which are the same at every service of the realm. The first key seals. */
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

/** The question that doctor asks about a channel. */
export interface ChannelQuestion {
  /** Whether this service polls the authorization server for all: it needs more rights then. */
  readonly isPoller: boolean;
  /** How long to wait for another proof; 0 if proofs do not matter to this service. */
  readonly proofWaitMs: number;
}

/** For `forRoot({ revocationChannel })`, such as `valkeyRevocations()` of `nestjs-keycloak-s2s/valkey`. */
export interface RevocationChannel {
  /** Throws for settings that can't be used, in plain words; called at boot, sends nothing. */
  check(context: RevocationChannelContext): void;
  /** The keys of its proofs as they are now; absent where a channel has proofs without keys, or no proofs. */
  proofKeys?(): ProofKeysStatus;
  /** Begins to read, and goes on until it is closed, whatever happens to the channel. */
  connect(context: RevocationChannelContext, receiver: RevocationReceiver): ConnectedRevocationChannel;
  /** Looks at the channel once and changes nothing. Does not reject. Without it doctor says that it did not look at the channel. */
  examine?(context: RevocationChannelContext, question: ChannelQuestion): Promise<ChannelExamination>;
}

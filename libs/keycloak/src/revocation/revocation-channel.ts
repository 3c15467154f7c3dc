/** Revocation channel: what carries denials and rechecks between the replicas of all services. Doors implement it. */
import type { Clock } from '../caching/clock.js';
import type { ReadDenial } from '../protocol/denial.js';
import type { IssuerRecheck } from './rechecks.js';

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
  /** Whatever the channel held has been received: for the first time, after an outage, or anew after a gap. */
  caughtUp(): void;
  /** The channel may have lost something, and is read from its beginning; what this replica holds and does not receive is to be appended anew. */
  gap(reason: string): void;
  /** The channel can't be read; it tries again. */
  lost(reason: string): void;
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
  /** Ends reading; afterwards nothing is told any more. Does not reject. */
  close(): Promise<void>;
}

/** For `forRoot({ revocationChannel })`, such as `valkeyRevocations()` of `nestjs-keycloak-s2s/valkey`. */
export interface RevocationChannel {
  /** Throws for settings that can't be used, in plain words; called at boot, sends nothing. */
  check(context: RevocationChannelContext): void;
  /** Begins to read, and goes on until it is closed, whatever happens to the channel. */
  connect(context: RevocationChannelContext, receiver: RevocationReceiver): ConnectedRevocationChannel;
}

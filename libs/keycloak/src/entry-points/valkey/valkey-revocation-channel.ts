import type {
  ConnectedRevocationChannel,
  FeedLease,
  ReceivedPeriod,
  ProofChannel,
  ProofOutcome,
  RevocationChannelContext,
  RevocationReceiver,
  SharedRevocation,
} from '../extension/index.js';
import { OwnEntries, type OwnEntry } from './own-entries.js';
import type { ProofKeys } from './proof-keys.js';
import { RevocationEntries } from './revocation-entries.js';
import { revocationKeys } from './revocation-keys.js';
import { RevocationStream, type NewEntry } from './revocation-stream.js';
import type { SealingKeys } from './sealing-keys.js';
import { StreamFollower } from './stream-follower.js';
import { StreamProofs } from './stream-proofs.js';
import type { ValkeyAddress } from './valkey-address.js';
import { ValkeyConnection } from './valkey-connection.js';
import { ValkeyError } from './valkey-error.js';

const SOON_OF_NO_USE_MS = 10_000;

/** Waits for entries on one connection, and appends entries on a second connection. */
export class ValkeyRevocationChannel implements ConnectedRevocationChannel, ProofChannel {
  readonly #stream: RevocationStream;
  readonly #entries: RevocationEntries;
  readonly #proofs: StreamProofs;
  readonly #follower: StreamFollower;
  readonly #own = new OwnEntries();
  #isClosed = false;
  #writer: Promise<ValkeyConnection> | undefined;
  #lease: FeedLease | undefined;
  readonly #askedAtMs = new WeakMap<FeedLease, number>();
  readonly proofs: ProofChannel = this;

  constructor(
    private readonly address: ValkeyAddress,
    keys: SealingKeys,
    proofKeys: ProofKeys,
    private readonly context: RevocationChannelContext,
    private readonly receiver: RevocationReceiver,
  ) {
    this.#stream = new RevocationStream(context.issuer, context.maxRevocations);
    this.#entries = new RevocationEntries(keys, context.issuer);
    const identity = { issuer: context.issuer, stream: revocationKeys(context.issuer).stream };
    this.#proofs = new StreamProofs(keys, proofKeys, identity, context.memorySeconds);
    this.#follower = new StreamFollower(
      address,
      {
        stream: this.#stream,
        entries: this.#entries,
        proofs: this.#proofs,
        ...(proofKeys.status.canSign ? { own: this.#own } : {}),
      },
      receiver,
      async (epoch) => this.#stream.beginEpoch(await this.#openWriter(), epoch),
    );
  }

  async append(revocations: readonly SharedRevocation[]): Promise<void> {
    const entries = this.#newEntries(revocations);
    await this.#appendOwn(entries, async () => {
      await this.#stream.append(await this.#openWriter(), entries);
      return true;
    });
  }

  async appendAgain(revocations: readonly SharedRevocation[]): Promise<boolean> {
    const { place } = this.#follower;
    if (place === undefined) return false;
    const entries = this.#newEntries(revocations);
    return this.#appendOwn(entries, async () => this.#stream.appendAfter(await this.#openWriter(), entries, place));
  }

  async lease(leaseMs: number): Promise<FeedLease | undefined> {
    const writer = await this.#openWriter();
    const askedAtMs = Date.now();
    this.#lease = await this.#stream.lease(writer, leaseMs);
    if (this.#lease !== undefined) this.#askedAtMs.set(this.#lease, askedAtMs);
    return this.#lease;
  }

  async prove(lease: FeedLease, period: ReceivedPeriod): Promise<ProofOutcome> {
    const { place } = this.#follower;
    const askedAtMs = this.#askedAtMs.get(lease);
    if (place === undefined || askedAtMs === undefined || !this.#proofs.isPossible(period, askedAtMs)) return 'behind';
    if (!this.#own.areRead) return 'behind';
    const sealed = this.#proofs.write(period, lease.fencing, place);
    if (sealed === undefined) return 'behind';
    const outcome = await this.#stream.prove(await this.#openWriter(), lease, place, sealed);
    // Apply the proof immediately, because this process reads it back from the server only later.
    if (outcome === 'taken') this.#proofs.tell(period, this.receiver);
    return outcome;
  }

  async release(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    if (lease !== undefined) await this.#stream.release(await this.#openWriter(), lease);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#follower.close(), this.#writer?.then((writer) => writer.close()).catch(() => undefined)]);
  }

  #newEntries(revocations: readonly SharedRevocation[]): (NewEntry & OwnEntry)[] {
    const { clock, memorySeconds, recheckSeconds } = this.context;
    return revocations.map((one) => {
      const usefulSeconds = (one.kind === 'recheck' ? recheckSeconds : memorySeconds) - (clock.epochSeconds() - one.at);
      const usefulMs = Math.max(1, usefulSeconds * 1000);
      const id = one.kind === 'recheck' ? one.id : undefined;
      return { sealed: this.#entries.write(one, usefulMs, this.#proofs.serverMs), usefulMs, id };
    });
  }

  async #appendOwn(entries: readonly (NewEntry & OwnEntry)[], append: () => Promise<boolean>): Promise<boolean> {
    // The server may remove a short-lived entry before this process reads it. Such an entry is not awaited.
    const tracked = entries.filter(({ usefulMs }) => usefulMs > SOON_OF_NO_USE_MS);
    this.#own.send(tracked);
    let isTaken = false;
    try {
      return (isTaken = await append());
    } finally {
      this.#own.answered(tracked, isTaken);
    }
  }

  #openWriter(): Promise<ValkeyConnection> {
    return (this.#writer = this.#reuseOrOpen(this.#writer));
  }

  async #reuseOrOpen(writer: Promise<ValkeyConnection> | undefined): Promise<ValkeyConnection> {
    const earlier = await writer?.catch(() => undefined);
    if (earlier?.isOpen === true) return earlier;
    if (this.#isClosed) throw new ValkeyError('closed');
    return ValkeyConnection.open(this.address);
  }
}

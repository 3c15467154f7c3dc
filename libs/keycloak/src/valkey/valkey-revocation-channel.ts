/** Valkey revocation channel: follows the stream of one realm's denials, and appends to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  ConnectedRevocationChannel,
  FeedLease,
  HeardStretch,
  ProofChannel,
  ProofOutcome,
  RevocationChannelContext,
  RevocationReceiver,
  SharedRevocation,
} from '../index.js';
import { RevocationEntries } from './revocation-entries.js';
import { PAGE, RevocationStream, type NewEntry, type StreamPage } from './revocation-stream.js';
import type { SealingKeys } from './sealing-keys.js';
import { StreamProofs, sumWith, type StreamProof, type SummedPlace } from './stream-proofs.js';
import type { ValkeyAddress } from './valkey-address.js';
import { ValkeyConnection, ValkeyError } from './valkey-connection.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;

/**
 * From when an entry was written to when the server took it, which is not sealed: with another time it may count for nothing, so that answers of before are covered no further. Those from so long before a recheck
 * serve for the short time in any case.
 */
const MAX_UNDERWAY_MS = 5000;

/** Where this replica is in the stream. */
interface Place extends SummedPlace {
  /** The id of the entry there; undefined where nothing was read yet, so that any may come first. */
  readonly tip: string | undefined;
}

/** Something may be missing: for this replica, or, in an `epoch` that does not hold together, for everybody. */
class Gap extends Error {
  constructor(
    reason: string,
    readonly epoch?: string,
  ) {
    super(reason);
  }
}

/**
 * Two connections: one waits for entries, the other appends. Where the stream is not the one that this replica knows, or a number or the entry before is another than
 * it should be, there is a gap: the stream is read from its beginning. One that does not hold together in itself is begun anew, so that every replica appends what it holds.
 */
export class ValkeyRevocationChannel implements ConnectedRevocationChannel, ProofChannel {
  readonly #stream: RevocationStream;
  readonly #entries: RevocationEntries;
  readonly #proofs: StreamProofs;
  readonly #closing = new AbortController();
  readonly #reading: Promise<void>;
  #place: Place | undefined;
  #reader: ValkeyConnection | undefined;
  #writer: Promise<ValkeyConnection> | undefined;
  #failures = 0;
  /** Whether this replica may hold what was in the stream: what it loses sight of, it has to repeat. */
  #hasRead = false;
  #lease: FeedLease | undefined;
  /** When each was asked for, by this machine's clock. */
  readonly #askedAtMs = new WeakMap<FeedLease, number>();
  readonly proofs: ProofChannel = this;

  constructor(
    private readonly address: ValkeyAddress,
    keys: SealingKeys,
    private readonly context: RevocationChannelContext,
    private readonly receiver: RevocationReceiver,
  ) {
    this.#stream = new RevocationStream(context.issuer, context.maxRevocations);
    this.#entries = new RevocationEntries(keys, context.issuer);
    this.#proofs = new StreamProofs(keys, context.issuer);
    this.#reading = this.#read();
  }

  async append(revocations: readonly SharedRevocation[]): Promise<void> {
    await this.#stream.append(await this.#openWriter(), this.#newEntries(revocations));
  }

  async appendAgain(revocations: readonly SharedRevocation[]): Promise<boolean> {
    const place = this.#place;
    if (place === undefined) return false;
    return this.#stream.appendAfter(await this.#openWriter(), this.#newEntries(revocations), place);
  }

  async lease(leaseMs: number): Promise<FeedLease | undefined> {
    const writer = await this.#openWriter();
    const askedAtMs = Date.now();
    this.#lease = await this.#stream.lease(writer, leaseMs);
    if (this.#lease !== undefined) this.#askedAtMs.set(this.#lease, askedAtMs);
    return this.#lease;
  }

  async prove(lease: FeedLease, heard: HeardStretch): Promise<ProofOutcome> {
    const place = this.#place;
    const askedAtMs = this.#askedAtMs.get(lease);
    if (place === undefined || askedAtMs === undefined || !this.#proofs.isPossible(heard, askedAtMs)) return 'behind';
    const sealed = this.#proofs.write(heard, place);
    const outcome = await this.#stream.prove(await this.#openWriter(), lease, place, sealed);
    // It need not come back first.
    if (outcome === 'taken') this.#tellProven(heard);
    return outcome;
  }

  async release(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    if (lease !== undefined) await this.#stream.release(await this.#openWriter(), lease);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#reader?.close();
    await Promise.all([this.#reading, this.#writer?.then((writer) => writer.close()).catch(() => undefined)]);
  }

  #newEntries(revocations: readonly SharedRevocation[]): NewEntry[] {
    const { clock, memorySeconds, recheckSeconds } = this.context;
    return revocations.map((one) => {
      const usefulSeconds = (one.kind === 'recheck' ? recheckSeconds : memorySeconds) - (clock.epochSeconds() - one.at);
      return { sealed: this.#entries.write(one, this.#proofs.serverMs), usefulMs: Math.max(1, usefulSeconds * 1000) };
    });
  }

  /** One at a time, whoever asks for it. */
  #openWriter(): Promise<ValkeyConnection> {
    return (this.#writer = this.#reuseOrOpen(this.#writer));
  }

  async #reuseOrOpen(writer: Promise<ValkeyConnection> | undefined): Promise<ValkeyConnection> {
    const earlier = await writer?.catch(() => undefined);
    if (earlier?.isOpen === true) return earlier;
    if (this.#closing.signal.aborted) throw new ValkeyError('closed');
    return ValkeyConnection.open(this.address);
  }

  async #read(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#reader = await ValkeyConnection.open(this.address);
        await this.#stream.checkPolicy(this.#reader);
        while (!signal.aborted) await this.#follow(this.#reader);
      } catch (error) {
        if (signal.aborted) break;
        this.#failures += 1;
        // Some of what is held was found in a stream of which the rest was not read.
        if (this.#place === undefined && this.#hasRead) this.receiver.gap('not_read_to_the_end');
        this.receiver.lost(error instanceof ValkeyError ? error.message : 'unknown');
      } finally {
        this.#reader?.close();
      }
      await this.#pause(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures));
    }
  }

  /** Ends early when the channel is closed. */
  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }

  /** Reads on until there is a gap, or the connection fails. */
  async #follow(reader: ValkeyConnection): Promise<void> {
    try {
      for (;;) {
        const { position } = await this.#readOn(reader);
        this.receiver.caughtUp();
        this.#failures = 0;
        await this.#stream.wait(reader, position);
        if (this.#closing.signal.aborted) return;
      }
    } catch (error) {
      if (!(error instanceof Gap)) throw error;
      this.#place = undefined;
      // Where there was none yet, nothing is missing. First of all: what comes next may fail.
      if (this.#hasRead || (error.epoch ?? '') !== '') this.receiver.gap(error.message);
      if (error.epoch !== undefined) await this.#stream.beginEpoch(await this.#openWriter(), error.epoch);
      // Whoever makes gaps on purpose costs no more than this.
      await this.#pause(LONGEST_PAUSE_MS * Math.random() ** 4);
    }
  }

  /** Everything that there is. */
  async #readOn(reader: ValkeyConnection): Promise<Place> {
    let place = this.#place;
    if (place === undefined) this.#proofs.beginAnew();
    for (;;) {
      const page = await this.#stream.read(reader, place?.position);
      // Its end is not known to be ours: whoever has a place has lost it.
      if (page === undefined) throw new Gap('no_stream', '');
      this.#proofs.learn(page);
      if (place !== undefined) checkSame(place, page);
      this.#hasRead = true;
      place = this.#take(page, place ?? { epoch: page.epoch, position: page.first - 1, tip: undefined, sum: 0n });
      if (place.position >= page.last) return (this.#place = place);
    }
  }

  #take(page: StreamPage, before: Place): Place {
    const { epoch, last, tip, entries } = page;
    if (entries.length < Math.min(PAGE, last - before.position)) throw new Gap('entries_missing', epoch);
    let place: Place = { ...before, epoch };
    const proof = this.#proofs.read(page.proof);
    this.#check(proof, place);
    for (const { number, id, previous, sealed, ageSeconds, takenAtMs } of entries) {
      if (number !== place.position + 1 || number > last) throw new Gap('entries_missing', epoch);
      if (place.tip !== undefined && previous !== place.tip)
        throw new Gap('another_past', this.#place === undefined ? epoch : undefined);
      const read = this.#entries.read(sealed);
      place = { epoch, position: number, tip: id, sum: sumWith(place.sum, read?.nonce ?? 0n) };
      if (read !== undefined) {
        this.receiver.received(read.revocation, ageSeconds);
        // By its time it may count for nothing.
        if (!(Math.abs(takenAtMs - read.writtenAtMs) <= MAX_UNDERWAY_MS)) this.receiver.unproven();
      }
      this.#check(proof, place);
    }
    if (place.position !== last || place.tip === tip) return place;
    if (place.tip !== undefined) throw new Gap('another_past', this.#place === undefined ? epoch : undefined);
    return { ...place, tip };
  }

  /** A proof counts where everything has been read that was there when it was written, and nothing else. */
  #check(proof: StreamProof | undefined, { epoch, position, sum }: Place): void {
    if (proof?.place.epoch !== epoch || proof.place.position !== position) return;
    if (this.#proofs.isSame(proof, sum)) this.#tellProven(proof.heard);
    else this.receiver.unproven();
  }

  #tellProven(heard: HeardStretch): void {
    const ages = this.#proofs.agesOf(heard);
    if (ages !== undefined) this.receiver.proven(ages);
  }
}

/** Throws `Gap` where the stream is not the one of which `place` is a part. */
function checkSame({ epoch, position, tip }: Place, page: StreamPage): void {
  if (page.epoch !== epoch) throw new Gap('another_epoch');
  if (page.last < position) throw new Gap('rolled_back');
  if (page.first > position + 1) throw new Gap('dropped_unread');
  if (page.last === position && tip !== undefined && page.tip !== tip) throw new Gap('another_past');
}

/** Stream follower: reads the stream of one realm's denials as it grows, gives all of it to a receiver, and sees where something is missing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RevocationReceiver } from '../index.js';
import type { RevocationEntries } from './revocation-entries.js';
import { PAGE, type RevocationStream, type StreamPage } from './revocation-stream.js';
import { sumWith, type StreamProof, type StreamProofs, type SummedPlace } from './stream-proofs.js';
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
export interface Place extends SummedPlace {
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
 * Where the stream is not the one that this replica knows, or a number or the entry before is another than it should be, there is a gap: the stream is read from its
 * beginning. One that does not hold together in itself is begun anew, so that every replica appends what it holds.
 */
export class StreamFollower {
  readonly #closing = new AbortController();
  readonly #reading: Promise<void>;
  #place: Place | undefined;
  #reader: ValkeyConnection | undefined;
  #failures = 0;
  /** Whether this replica may hold what was in the stream: what it loses sight of, it has to repeat. */
  #hasRead = false;

  constructor(
    private readonly address: ValkeyAddress,
    private readonly stream: RevocationStream,
    private readonly entries: RevocationEntries,
    private readonly proofs: StreamProofs,
    private readonly receiver: RevocationReceiver,
    /** Begins the stream anew that has this epoch. */
    private readonly beginEpoch: (epoch: string) => Promise<unknown>,
  ) {
    this.#reading = this.#read();
  }

  /** Until where all has been read; undefined before, and after a gap. */
  get place(): Place | undefined {
    return this.#place;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#reader?.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#reader = await ValkeyConnection.open(this.address);
        await this.stream.checkPolicy(this.#reader);
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
        await this.stream.wait(reader, position);
        if (this.#closing.signal.aborted) return;
      }
    } catch (error) {
      if (!(error instanceof Gap)) throw error;
      this.#place = undefined;
      // Where there was none yet, nothing is missing. First of all: what comes next may fail.
      if (this.#hasRead || (error.epoch ?? '') !== '') this.receiver.gap(error.message);
      if (error.epoch !== undefined) await this.beginEpoch(error.epoch);
      // Whoever makes gaps on purpose costs no more than this.
      await this.#pause(LONGEST_PAUSE_MS * Math.random() ** 4);
    }
  }

  /** Everything that there is. */
  async #readOn(reader: ValkeyConnection): Promise<Place> {
    let place = this.#place;
    if (place === undefined) this.proofs.beginAnew();
    for (;;) {
      const page = await this.stream.read(reader, place?.position);
      // Its end is not known to be ours: whoever has a place has lost it.
      if (page === undefined) throw new Gap('no_stream', '');
      this.proofs.learn(page);
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
    const proof = this.proofs.read(page.proof);
    this.#check(proof, place);
    for (const { number, id, previous, sealed, ageSeconds, takenAtMs } of entries) {
      if (number !== place.position + 1 || number > last) throw new Gap('entries_missing', epoch);
      if (place.tip !== undefined && previous !== place.tip)
        throw new Gap('another_past', this.#place === undefined ? epoch : undefined);
      const read = this.entries.read(sealed);
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
    if (this.proofs.isSame(proof, sum)) this.proofs.tell(proof.heard, this.receiver);
    else this.receiver.unproven();
  }
}

/** Throws `Gap` where the stream is not the one of which `place` is a part. */
function checkSame({ epoch, position, tip }: Place, page: StreamPage): void {
  if (page.epoch !== epoch) throw new Gap('another_epoch');
  if (page.last < position) throw new Gap('rolled_back');
  if (page.first > position + 1) throw new Gap('dropped_unread');
  if (page.last === position && tip !== undefined && page.tip !== tip) throw new Gap('another_past');
}

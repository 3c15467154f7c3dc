import { setTimeout as sleep } from 'node:timers/promises';
import type { RevocationReceiver } from '../extension/index.js';
import type { OwnEntries } from './own-entries.js';
import type { RevocationEntries } from './revocation-entries.js';
import { MAX_CAPACITY } from './revocation-scripts.js';
import { PAGE, type RevocationStream, type StreamEntry, type StreamPage } from './revocation-stream.js';
import type { StreamProofs } from './stream-proofs.js';
import { checkSame, Gap, type Place } from './stream-gap.js';
import { UnreadableEntries } from './unreadable-entries.js';
import type { ValkeyAddress } from './valkey-address.js';
import { ValkeyConnection } from './valkey-connection.js';
import { ValkeyError } from './valkey-error.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;

/**
 * The maximum difference between an entry's sealed time and its arrival time. A difference above the maximum may mean
 * that somebody forged the unsealed arrival time, so results that are already cached get the short TTL.
 */
const MAX_UNDERWAY_MS = 5000;

export interface FollowedStream {
  readonly stream: RevocationStream;
  readonly entries: RevocationEntries;
  readonly proofs: StreamProofs;
  readonly own?: OwnEntries;
}

/**
 * A replaced stream, a wrong entry number or a wrong previous id counts as a gap. After a gap, the follower reads the
 * stream from its beginning. If the entries contradict each other, a new epoch begins, and every replica writes its own
 * entries again.
 */
export class StreamFollower {
  readonly #closing = new AbortController();
  readonly #reading: Promise<void>;
  #place: Place | undefined;
  #reader: ValkeyConnection | undefined;
  #failures = 0;
  readonly #unreadable = new UnreadableEntries();
  #hasRead = false;

  constructor(
    private readonly address: ValkeyAddress,
    private readonly followed: FollowedStream,
    private readonly receiver: RevocationReceiver,
    private readonly beginEpoch: (epoch: string) => Promise<unknown>,
  ) {
    this.#reading = this.#run();
  }

  get place(): Place | undefined {
    return this.#place;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#reader?.close();
    await this.#reading;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#reader = await ValkeyConnection.open(this.address);
        this.followed.proofs.reconnected();
        await this.followed.stream.checkPolicy(this.#reader);
        while (!signal.aborted) await this.#follow(this.#reader);
      } catch (error) {
        if (signal.aborted) break;
        this.#failures += 1;
        // This replica may have read only a part of the stream.
        if (this.#place === undefined && this.#hasRead) this.receiver.gap('not_read_to_the_end');
        const { message, hint } = error instanceof ValkeyError ? error : new ValkeyError('unknown');
        this.receiver.lost(message, hint);
      } finally {
        this.#reader?.close();
      }
      await this.#pause(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures));
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }

  async #follow(reader: ValkeyConnection): Promise<void> {
    try {
      for (;;) {
        const { position } = await this.#readOn(reader);
        this.receiver.caughtUp();
        this.#failures = 0;
        await this.followed.stream.wait(reader, position);
        if (this.#closing.signal.aborted) return;
      }
    } catch (error) {
      if (!(error instanceof Gap)) throw error;
      this.#place = undefined;
      this.followed.own?.clear();
      // Report the gap first, because the next step may fail.
      if (this.#hasRead || (error.epoch ?? '') !== '') this.receiver.gap(error.message);
      if (error.epoch !== undefined) await this.beginEpoch(error.epoch);
      // A random pause limits the load if an attacker causes gaps on purpose.
      await this.#pause(LONGEST_PAUSE_MS * Math.random() ** 4);
    }
  }

  async #readOn(reader: ValkeyConnection): Promise<Place> {
    const { stream, proofs, own } = this.followed;
    const expected = own?.expected;
    let place = this.#place;
    if (place === undefined) this.#beginAnew();
    for (;;) {
      const page = await stream.read(reader, place?.position);
      if (page === undefined) throw new Gap('no_stream', '');
      // More entries than this library ever writes could exhaust the memory.
      if (page.last - page.first >= MAX_CAPACITY) throw new Gap('too_many_entries', page.epoch);
      proofs.learn(page, this.receiver);
      if (proofs.lacks(page)) throw new Gap('entries_removed_early', page.epoch);
      if (place !== undefined) checkSame(place, page);
      this.#hasRead = true;
      place = this.#take(page, place ?? { epoch: page.epoch, position: page.first - 1, tip: undefined });
      if (place.position < page.last) continue;
      if (expected !== undefined && own?.isMissing(expected) === true) throw new Gap('own_entries_missing', page.epoch);
      return (this.#place = place);
    }
  }

  #beginAnew(): void {
    this.followed.proofs.beginAnew();
    this.#unreadable.clear();
  }

  #take(page: StreamPage, before: Place): Place {
    const { epoch, last, tip, entries } = page;
    if (entries.length < Math.min(PAGE, last - before.position)) throw new Gap('entries_missing', epoch);
    let place: Place = { ...before, epoch };
    const { proofs } = this.followed;
    const proof = proofs.find(page.proof, this.receiver);
    proofs.check(epoch, this.receiver);
    for (const entry of entries) {
      const { number, id, previous } = entry;
      if (number !== place.position + 1 || number > last) throw new Gap('entries_missing', epoch);
      if (place.tip !== undefined && previous !== place.tip)
        throw new Gap('another_past', this.#place === undefined ? epoch : undefined);
      this.#read(entry, epoch);
      place = { epoch, position: number, tip: id };
      proofs.check(epoch, this.receiver);
    }
    this.receiver.examined(this.#unreadable.examined(page.first, proof));
    if (place.position !== last || place.tip === tip) return place;
    if (place.tip !== undefined) throw new Gap('another_past', this.#place === undefined ? epoch : undefined);
    return { ...place, tip };
  }

  #read(entry: StreamEntry, epoch: string): void {
    const { number, sealed, ageSeconds, takenAtMs } = entry;
    const { entries, proofs, own } = this.followed;
    const read = entries.read(sealed);
    own?.read(sealed);
    const { revocation } = typeof read === 'string' ? { revocation: undefined } : read;
    if (revocation?.kind === 'recheck' && own?.isForged(sealed, revocation.id) === true)
      throw new Gap('own_entries_forged', epoch);
    proofs.add(entry, typeof read === 'string' ? undefined : read.usefulUntilMs);
    this.#unreadable.add(number, typeof read === 'string' ? read : undefined);
    if (typeof read === 'string') {
      // An unreadable entry may be a denial, so earlier cached results get the short TTL.
      this.receiver.refused(read);
      this.receiver.unhealthy();
      return;
    }
    this.receiver.received(read.revocation, ageSeconds);
    // A wrong arrival time may make the denial or recheck ineffective.
    if (!(Math.abs(takenAtMs - read.writtenAtMs) <= MAX_UNDERWAY_MS)) this.receiver.unhealthy();
  }
}

/** Valkey revocation channel: follows the stream of one realm's denials, and appends to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  ConnectedRevocationChannel,
  RevocationChannelContext,
  RevocationReceiver,
  SharedRevocation,
} from '../ports/revocation-channel.js';
import { RevocationEntries } from './revocation-entries.js';
import { PAGE, RevocationStream, type StreamEntry } from './revocation-stream.js';
import type { SealingKeys } from './sealing-keys.js';
import { ValkeyConnection, ValkeyError, type ValkeyAddress } from './valkey-connection.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;

/** Where this replica is in the stream. */
interface Place {
  readonly server: string;
  readonly epoch: string;
  position: number;
}

/** Something may be missing. */
class Gap extends Error {}

/**
 * Two connections: one waits for entries, the other appends. A number that does not follow, another epoch, or another run of the server is a gap: the stream
 * is read from its beginning. Where entries are missing in the middle, for whoever comes later too, a new epoch has every replica append what it holds.
 */
export class ValkeyRevocationChannel implements ConnectedRevocationChannel {
  readonly #stream: RevocationStream;
  readonly #entries: RevocationEntries;
  readonly #closing = new AbortController();
  readonly #reading: Promise<void>;
  #place: Place | undefined;
  #reader: ValkeyConnection | undefined;
  #writer: Promise<ValkeyConnection> | undefined;
  #failures = 0;

  constructor(
    private readonly address: ValkeyAddress,
    keys: SealingKeys,
    context: RevocationChannelContext,
    private readonly receiver: RevocationReceiver,
  ) {
    this.#stream = new RevocationStream(context.issuer, context);
    this.#entries = new RevocationEntries(keys, context.issuer);
    this.#reading = this.#read();
  }

  async append(revocations: readonly SharedRevocation[]): Promise<void> {
    const entries = revocations.map((one) => this.#entries.write(one));
    await this.#stream.append(await this.#openWriter(), entries, (dropped) => this.#summaryOf(dropped));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#reader?.close();
    await Promise.all([this.#reading, this.#writer?.then((writer) => writer.close()).catch(() => undefined)]);
  }

  async #openWriter(): Promise<ValkeyConnection> {
    const earlier = await this.#writer?.catch(() => undefined);
    if (earlier?.isOpen === true) return earlier;
    if (this.#closing.signal.aborted) throw new ValkeyError('closed');
    return (this.#writer = ValkeyConnection.open(this.address));
  }

  /** A floor takes the place of denials that have to go. */
  #summaryOf(dropped: readonly (string | undefined)[]): readonly string[] {
    const revocations = dropped.map((sealed) => this.#entries.read(sealed));
    const times = revocations.flatMap((one) => (one === undefined || one.kind === 'recheck' ? [] : [one.at]));
    return times.length === 0 ? [] : [this.#entries.write({ kind: 'floor', at: Math.max(...times) })];
  }

  async #read(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#reader = await ValkeyConnection.open(this.address);
        while (!signal.aborted) await this.#follow(this.#reader);
      } catch (error) {
        if (signal.aborted) break;
        this.#failures += 1;
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
    const server = await this.#stream.identity(reader);
    try {
      await this.#readAll(reader, server);
      this.receiver.caughtUp();
      this.#failures = 0;
      while (!this.#closing.signal.aborted) await this.#readNew(reader);
    } catch (error) {
      if (!(error instanceof Gap)) throw error;
      this.#place = undefined;
      this.receiver.gap(error.message);
      // Whoever makes gaps on purpose costs no more than this.
      await this.#pause(LONGEST_PAUSE_MS * Math.random() ** 4);
    }
  }

  /** From where it is, if the stream is still the same; else from the beginning. */
  async #readAll(reader: ValkeyConnection, server: string): Promise<void> {
    const state = await this.#stream.state(reader);
    if (this.#place !== undefined) {
      if (server !== this.#place.server) throw new Gap('another_run_of_the_server');
      if (state?.epoch !== this.#place.epoch) throw new Gap('another_epoch');
      if (state.last < this.#place.position) throw new Gap('rolled_back');
      return this.#drain(reader, this.#place);
    }
    if (state === undefined) return this.#begin(await this.#openWriter(), reader, server);
    const place: Place = { server, epoch: state.epoch, position: 0 };
    try {
      await this.#drain(reader, place);
    } catch (error) {
      if (!(error instanceof Gap)) throw error;
      return this.#begin(await this.#openWriter(), reader, server, state.epoch);
    }
    // What was taken since then is not in `state`; what is in it and was not read has gone, all of it or the end.
    if (place.position > 0 && place.position < state.last) {
      return this.#begin(await this.#openWriter(), reader, server, state.epoch);
    }
    place.position = Math.max(place.position, state.last);
    this.#place = place;
  }

  /** A new epoch, in place of `ended`; what is in the stream by then is read. */
  async #begin(writer: ValkeyConnection, reader: ValkeyConnection, server: string, ended?: string): Promise<void> {
    await this.#stream.beginEpoch(writer, ended);
    const state = await this.#stream.state(reader);
    if (state === undefined) throw new ValkeyError('no_stream');
    if (ended !== undefined) this.receiver.gap('entries_missing');
    const place: Place = { server, epoch: state.epoch, position: 0 };
    await this.#drain(reader, place);
    this.#place = place;
  }

  async #drain(reader: ValkeyConnection, place: Place): Promise<void> {
    for (;;) {
      const entries = await this.#stream.after(reader, place.position, false);
      this.#take(entries, place);
      if (entries.length < PAGE) return;
    }
  }

  async #readNew(reader: ValkeyConnection): Promise<void> {
    const place = this.#place;
    if (place === undefined) throw new Gap('no_place');
    const entries = await this.#stream.after(reader, place.position, true);
    if (entries.length > 0) return this.#take(entries, place);
    const state = await this.#stream.state(reader);
    if (state?.epoch !== place.epoch) throw new Gap('another_epoch');
    if (state.last < place.position) throw new Gap('rolled_back');
    if (state.last === place.position) return;
    // It came since then, or it has gone.
    await this.#drain(reader, place);
    if (place.position < state.last) throw new Gap('entries_missing');
  }

  /** At the beginning any number may come first: those before it are over. */
  #take(entries: readonly StreamEntry[], place: Place): void {
    for (const { number, sealed, ageSeconds } of entries) {
      const follows = place.position === 0 ? number > 0 : number === place.position + 1;
      if (!follows) throw new Gap('entries_missing');
      place.position = number;
      const revocation = this.#entries.read(sealed);
      if (revocation !== undefined) this.receiver.received(revocation, ageSeconds);
    }
  }
}

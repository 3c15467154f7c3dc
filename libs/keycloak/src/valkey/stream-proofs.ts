/** Stream proofs: what says that a stream holds everything that was heard, and whether this replica has read just that. */
import { randomUUID } from 'node:crypto';
import type { HeardStretch, RevocationReceiver } from '../index.js';
import type { StreamPage, StreamPlace } from './revocation-stream.js';
import type { SealingKeys } from './sealing-keys.js';
import { ServerClock } from './server-clock.js';

/** A place, and what the random numbers of the entries come to that were read until there. */
export interface SummedPlace extends StreamPlace {
  readonly sum: bigint;
}

export interface StreamProof {
  readonly heard: HeardStretch;
  readonly place: SummedPlace;
  /** Where it was begun to add up. */
  readonly base: string;
}

/** Short names, as entries have. */
interface Written {
  readonly s: number;
  readonly u: number;
  readonly e: string;
  readonly p: number;
  readonly n: string;
  readonly b: string;
}

const WHAT = 'revocation proof';
const MODULUS = 1n << 128n;

/** The server's clock may be ahead of this machine's by so much. */
const MAX_AHEAD_MS = 5000;

/**
 * Each entry holds a random number under its seal. Who listens says with each proof what those of the entries come to that it has read; whoever has read others, since somebody has replaced or removed some in
 * the server, comes to something else. Replicas begin to read at different entries: what counts is that the difference stays.
 */
export class StreamProofs {
  readonly #clock = new ServerClock();
  #base: { readonly id: string; readonly difference: bigint } | undefined;

  constructor(
    private readonly keys: SealingKeys,
    private readonly issuer: string,
  ) {}

  /** The stream is read from its beginning. */
  beginAnew(): void {
    this.#base = undefined;
  }

  /** Call it as soon as the page is there. */
  learn({ nowMs }: StreamPage): void {
    this.#clock.learn(nowMs);
  }

  /** The server's time by now; undefined where it is not known yet. */
  get serverMs(): number | undefined {
    return this.#clock.isLearned ? this.#clock.nowMs() : undefined;
  }

  /** What this replica has heard, which has read until `place`. */
  write({ sinceMs, untilMs }: HeardStretch, { epoch, position, sum }: SummedPlace): string {
    this.#base ??= { id: randomUUID(), difference: 0n };
    const { id, difference } = this.#base;
    const n = ((sum + difference) % MODULUS).toString(16);
    const written: Written = { s: sinceMs, u: untilMs, e: epoch, p: position, n, b: id };
    return this.keys.seal(JSON.stringify(written), [WHAT, this.issuer]);
  }

  /** Undefined for what no service with the same keys wrote. */
  read(sealed: string): StreamProof | undefined {
    const text = sealed === '' ? undefined : this.keys.open(sealed, [WHAT, this.issuer]);
    return text === undefined ? undefined : proofIn(JSON.parse(text) as Partial<Written>);
  }

  /** Whether this replica, which comes to `sum` at the same place, has read what was proven. Where it can't say, it can from the next one on. */
  isSame({ place, base }: StreamProof, sum: bigint): boolean {
    const difference = (place.sum - sum + MODULUS) % MODULUS;
    const before = this.#base;
    this.#base = { id: base, difference };
    return before === undefined || (before.id === base && before.difference === difference);
  }

  /** Whether the server told a time that may be, when it was asked: with one of the future a proof would count when nobody listens any more. */
  isPossible({ untilMs }: HeardStretch, askedAtMs: number): boolean {
    return untilMs <= askedAtMs + MAX_AHEAD_MS;
  }

  /** Tells the receiver how long ago that was; nothing where it is of a time that is still to come. */
  tell({ sinceMs, untilMs }: HeardStretch, receiver: Pick<RevocationReceiver, 'proven'>): void {
    const nowMs = this.#clock.latestMs();
    if (untilMs <= nowMs) receiver.proven({ sinceAgoMs: nowMs - sinceMs, untilAgoMs: nowMs - untilMs });
  }
}

/** Undefined for what a later version of this library wrote in another form. */
function proofIn({
  s: sinceMs,
  u: untilMs,
  e: epoch,
  p: position,
  n,
  b: base,
}: Partial<Written>): StreamProof | undefined {
  const isOurs =
    Number.isFinite(sinceMs) &&
    Number.isFinite(untilMs) &&
    Number.isInteger(position) &&
    /^[\da-f]{1,32}$/.test(n ?? '');
  if (!isOurs || typeof epoch !== 'string' || typeof base !== 'string') return undefined;
  const heard = { sinceMs: Number(sinceMs), untilMs: Number(untilMs) };
  return { heard, place: { epoch, position: Number(position), sum: BigInt(`0x${n ?? ''}`) }, base };
}

/** What the random numbers come to with another one. */
export const sumWith = (sum: bigint, nonce: bigint): bigint => (sum + nonce) % MODULUS;

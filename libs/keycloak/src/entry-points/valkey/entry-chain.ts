/** Entry chain: a SHA-256 digest over all entries of a stream that this process has read, in their order. */
import { createHash } from 'node:crypto';
import { KeptEntries } from './kept-entries.js';

/** The part of a proof that is about the entries. Hashes are of 32 bytes. */
export interface ChainLinks {
  /** The number of the entry after which the chain began. Another number is another chain. */
  readonly origin: number;
  /** The number of the oldest entry that is still of use, and the hash before it. */
  readonly first: number;
  readonly before: Buffer;
  /** The number of the newest entry, and the hash with it. */
  readonly position: number;
  readonly head: Buffer;
}

export interface ChainedEntry {
  readonly number: number;
  /** As it stands in the stream. */
  readonly sealed: string;
  readonly takenAtMs: number;
}

/**
 * `same`: this process has read exactly the entries that were proven.
 *
 * `differs`: it has read others. Somebody replaced or removed one.
 *
 * `other_chain`: the poller began a new chain, since it could not verify the one before. Only a process that does not poll goes on with it.
 *
 * `unknown`: this process has not read all of them. A later proof may tell.
 */
export type ChainVerdict = 'same' | 'differs' | 'other_chain' | 'unknown';

/**
 * `head(n) = SHA-256(head(n - 1) ‖ digest(n))`. A reader takes the hash before its first entry from a signed proof. From
 * then on it computes each head itself, so the entries between two proofs can't be changed without notice.
 */
export class EntryChain {
  #position: number;
  /** The entries from `#position - #kept.length + 1` on. Without a head, and for a poller: all that are of use. */
  #kept = new KeptEntries();
  #start: { readonly origin: number; before: Buffer } | undefined;
  #head: Buffer | undefined;

  /** `first`: the number of the entry that is read next. `keepsAll`: for a poller, which tells others where to begin. */
  constructor(
    private readonly issuer: string,
    private readonly epoch: string,
    first: number,
    private readonly keepsAll: boolean,
  ) {
    this.#position = first - 1;
  }

  /** The number of the newest entry that was added. */
  get position(): number {
    return this.#position;
  }

  /** Adds the next entry. One that was added before changes nothing. */
  add({ number, sealed, takenAtMs }: ChainedEntry, usefulUntilMs: number): void {
    if (number !== this.#position + 1) return;
    this.#position = number;
    const digest = sha256(JSON.stringify([number, takenAtMs, sealed]));
    if (this.#head === undefined || this.keepsAll) this.#kept.add(digest, usefulUntilMs);
    if (this.#head !== undefined) this.#head = sha256(this.#head, digest);
  }

  /** Drops what a process without a head keeps of entries before `first`, which the stream no longer holds. */
  forgetBefore(first: number): void {
    if (this.#head === undefined) this.#kept.dropFirst(Math.max(0, first - this.#first));
  }

  /**
   * Whether the stream, which begins at `first` now, lacks an entry that a proof of this poller would still cover. A
   * process that starts later could never compare its entries with that proof.
   */
  lacks(first: number, nowMs: number): boolean {
    if (this.#head === undefined || !this.keepsAll) return false;
    const removed = Math.min(this.#kept.length, first - this.#first);
    for (let at = 0; at < removed; at += 1) if (this.#kept.usefulUntilMs(at) > nowMs) return true;
    return false;
  }

  /** Compares this chain, which must be at the position of `proven`. Unless they differ, it goes on from there. */
  compare(proven: ChainLinks): ChainVerdict {
    if (this.#start === undefined || this.#head === undefined) return this.#join(proven);
    if (this.#start.origin === proven.origin) return this.#head.equals(proven.head) ? 'same' : 'differs';
    // A poller that took over the end alone would prove entries that it has not compared.
    if (this.keepsAll) return this.#join(proven);
    this.#start = { origin: proven.origin, before: proven.head };
    this.#head = proven.head;
    return 'other_chain';
  }

  /** The links for the next proof of a poller. It begins a chain of its own where it could join none. */
  links(nowMs: number): ChainLinks {
    const origin = this.#first - 1;
    const start = (this.#start ??= { origin, before: originHash(this.issuer, this.epoch, origin) });
    const head = (this.#head ??= this.#chained(start.before));
    while (this.#kept.usefulUntilMs(0) <= nowMs) {
      start.before = sha256(start.before, this.#kept.digest(0));
      this.#kept.dropFirst(1);
    }
    return { origin: start.origin, first: this.#first, before: start.before, position: this.#position, head };
  }

  get #first(): number {
    return this.#position - this.#kept.length + 1;
  }

  #join(proven: ChainLinks): ChainVerdict {
    const skipped = proven.first - this.#first;
    if (skipped < 0) return 'unknown';
    if (!this.#chained(proven.before, skipped).equals(proven.head)) return 'differs';
    this.#start = { origin: proven.origin, before: proven.before };
    this.#head = proven.head;
    this.#kept.dropFirst(this.keepsAll ? skipped : Infinity);
    return 'same';
  }

  /** The hash with the newest entry, where `before` is the one before the kept entry at `from`. */
  #chained(before: Buffer, from = 0): Buffer {
    let head = before;
    for (let at = from; at < this.#kept.length; at += 1) head = sha256(head, this.#kept.digest(at));
    return head;
  }
}

/** The same for each poller that begins at the same entry, so that they come to the same chain. */
const originHash = (issuer: string, epoch: string, origin: number): Buffer =>
  sha256(JSON.stringify(['nestjs-keycloak-s2s chain of entries, version 1', issuer, epoch, origin]));

function sha256(...parts: readonly (string | Buffer)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

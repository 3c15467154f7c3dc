import { createHash } from 'node:crypto';
import { KeptEntries } from './kept-entries.js';

export interface ChainLinks {
  /** The number of the last entry before the hash chain. */
  readonly origin: number;
  /** The number of the oldest useful entry; `before` is the hash of the chain up to the previous entry. */
  readonly first: number;
  readonly before: Buffer;
  readonly position: number;
  readonly head: Buffer;
}

export interface ChainedEntry {
  readonly number: number;
  readonly sealed: string;
  readonly takenAtMs: number;
}

/**
 * `differs`: a process replaced or removed an entry.
 *
 * `other_chain`: the poller could not verify the previous chain, and began a new chain. All processes except pollers
 * continue with the new chain.
 *
 * `unknown`: this process has not read all entries of the proof.
 */
export type ChainVerdict = 'same' | 'differs' | 'other_chain' | 'unknown';

/** Continues the hash chain of a signed proof, so that the next proof reveals changed entries. */
export class EntryChain {
  #position: number;
  /** A process that does not poll needs the digests only until its first proof. */
  #kept = new KeptEntries();
  #start: { readonly origin: number; before: Buffer } | undefined;
  #head: Buffer | undefined;

  /** `keepsAll` is true for a poller: other processes start their chains from the poller's proof. */
  constructor(
    private readonly issuer: string,
    private readonly epoch: string,
    first: number,
    private readonly keepsAll: boolean,
  ) {
    this.#position = first - 1;
  }

  get position(): number {
    return this.#position;
  }

  add({ number, sealed, takenAtMs }: ChainedEntry, usefulUntilMs: number): void {
    if (number !== this.#position + 1) return;
    this.#position = number;
    const digest = sha256(JSON.stringify([number, takenAtMs, sealed]));
    if (this.#head === undefined || this.keepsAll) this.#kept.add(digest, usefulUntilMs);
    if (this.#head !== undefined) this.#head = sha256(this.#head, digest);
  }

  forgetBefore(first: number): void {
    if (this.#head === undefined) this.#kept.dropFirst(Math.max(0, first - this.#first));
  }

  /** Returns true if the server removed entries too early: a new process could not check a proof of these entries. */
  lacks(first: number, nowMs: number): boolean {
    if (this.#head === undefined || !this.keepsAll) return false;
    const removed = Math.min(this.#kept.length, first - this.#first);
    for (let at = 0; at < removed; at += 1) if (this.#kept.usefulUntilMs(at) > nowMs) return true;
    return false;
  }

  compare(proof: ChainLinks): ChainVerdict {
    if (this.#start === undefined || this.#head === undefined) return this.#join(proof);
    if (this.#start.origin === proof.origin) return this.#head.equals(proof.head) ? 'same' : 'differs';
    // A poller that only copied the hash would sign entries that it has not compared.
    if (this.keepsAll) return this.#join(proof);
    this.#start = { origin: proof.origin, before: proof.head };
    this.#head = proof.head;
    return 'other_chain';
  }

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

  #join(proof: ChainLinks): ChainVerdict {
    const skipped = proof.first - this.#first;
    if (skipped < 0) return 'unknown';
    if (!this.#chained(proof.before, skipped).equals(proof.head)) return 'differs';
    this.#start = { origin: proof.origin, before: proof.before };
    this.#head = proof.head;
    this.#kept.dropFirst(this.keepsAll ? skipped : Infinity);
    return 'same';
  }

  #chained(before: Buffer, from = 0): Buffer {
    let head = before;
    for (let at = from; at < this.#kept.length; at += 1) head = sha256(head, this.#kept.digest(at));
    return head;
  }
}

/** Pollers with the same first entry get the same hash. */
const originHash = (issuer: string, epoch: string, origin: number): Buffer =>
  sha256(JSON.stringify(['nestjs-keycloak-s2s chain of entries, version 1', issuer, epoch, origin]));

function sha256(...parts: readonly (string | Buffer)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

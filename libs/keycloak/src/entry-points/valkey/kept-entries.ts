/** Kept entries: SHA-256 digests of the newest entries (40 to 80 bytes of memory each). */

const DIGEST_BYTES = 32;
const MIN_CAPACITY = 64;

export class KeptEntries {
  #digests = Buffer.alloc(MIN_CAPACITY * DIGEST_BYTES);
  #usefulUntilMs = new Float64Array(MIN_CAPACITY);
  #begin = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#begin;
  }

  /** `usefulUntilMs` is a time by the server's clock. */
  add(digest: Buffer, usefulUntilMs: number): void {
    if (this.#end === this.#usefulUntilMs.length) this.#grow();
    digest.copy(this.#digests, this.#end * DIGEST_BYTES);
    this.#usefulUntilMs[this.#end] = usefulUntilMs;
    this.#end += 1;
  }

  dropFirst(count: number): void {
    this.#begin = Math.min(this.#end, this.#begin + count);
  }

  digest(at: number): Buffer {
    const begin = (this.#begin + at) * DIGEST_BYTES;
    return this.#digests.subarray(begin, begin + DIGEST_BYTES);
  }

  usefulUntilMs(at: number): number {
    return this.#usefulUntilMs.subarray(this.#begin, this.#end)[at] ?? Infinity;
  }

  #grow(): void {
    const capacity = Math.max(MIN_CAPACITY, this.length * 2);
    const [digests, usefulUntilMs] = [Buffer.alloc(capacity * DIGEST_BYTES), new Float64Array(capacity)];
    this.#digests.copy(digests, 0, this.#begin * DIGEST_BYTES, this.#end * DIGEST_BYTES);
    usefulUntilMs.set(this.#usefulUntilMs.subarray(this.#begin, this.#end));
    [this.#end, this.#begin] = [this.length, 0];
    [this.#digests, this.#usefulUntilMs] = [digests, usefulUntilMs];
  }
}

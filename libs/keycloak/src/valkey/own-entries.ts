/** Own entries: whether what this poller appended stands in the stream as it was written. */

/**
 * A service with the keys can put another entry in the place of one before anybody has read it. The poller compares what
 * it reads with what it wrote, byte by byte, and proves nothing until all of it has come back.
 */
export class OwnEntries {
  readonly #sent = new Set<string>();
  /** The server has confirmed them: a read that begins now finds them. */
  readonly #taken = new Set<string>();

  /** They are about to be appended. */
  send(sealed: readonly string[]): void {
    for (const one of sealed) this.#sent.add(one);
  }

  /** The server has answered. If it may not have taken them, they are sealed and appended again. */
  answered(sealed: readonly string[], isTaken: boolean): void {
    for (const one of sealed) if (this.#sent.delete(one) && isTaken) this.#taken.add(one);
  }

  /** It stands in the stream. */
  read(sealed: string): void {
    if (!this.#sent.delete(sealed)) this.#taken.delete(sealed);
  }

  get areRead(): boolean {
    return this.#taken.size === 0;
  }

  /** The entries that a read must find if it begins now. */
  get expected(): ReadonlySet<string> {
    return new Set(this.#taken);
  }

  /** Whether one of `expected` has not been read. */
  isMissing(expected: ReadonlySet<string>): boolean {
    return [...expected].some((one) => this.#taken.has(one));
  }

  /** The stream is read from its beginning, and everything is appended again. */
  clear(): void {
    this.#sent.clear();
    this.#taken.clear();
  }
}

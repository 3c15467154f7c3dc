/** Own entries: whether what this poller appended stands in the stream as it was written. */

/** An entry that this poller is about to append. */
export interface OwnEntry {
  readonly sealed: string;
  /** The id of a recheck. Nobody else may write an entry with it. */
  readonly id?: string | undefined;
}

/** So many ids are remembered. A poller holds fewer rechecks that are of use. */
const MAX_IDS = 4000;
/** A recheck is written once more after each gap. Older writings count as somebody else's, which costs a new epoch. */
const MAX_WRITINGS = 8;

/**
 * A service with the keys can put another entry in the place of one before anybody has read it. The poller compares what
 * it reads with what it wrote, byte by byte, and proves nothing until all of it has come back.
 */
export class OwnEntries {
  readonly #sent = new Set<string>();
  /** The server has confirmed them: a read that begins now finds them. */
  readonly #taken = new Set<string>();
  /** By the id of a recheck, each text that this poller wrote for it; the earliest id first. A gap does not end them. */
  readonly #writings = new Map<string, readonly string[]>();

  /** They are about to be appended. */
  send(entries: readonly OwnEntry[]): void {
    for (const { sealed, id } of entries) {
      this.#sent.add(sealed);
      if (id !== undefined) this.#note(id, sealed);
    }
  }

  /** The server has answered. If it may not have taken them, they are sealed and appended again. */
  answered(entries: readonly OwnEntry[], isTaken: boolean): void {
    for (const { sealed } of entries) if (this.#sent.delete(sealed) && isTaken) this.#taken.add(sealed);
  }

  /** It stands in the stream. */
  read(sealed: string): void {
    if (!this.#sent.delete(sealed)) this.#taken.delete(sealed);
  }

  /** Whether somebody else wrote an entry with an id of this poller, so that readers may take it for the true one. */
  isForged(sealed: string, id: string): boolean {
    return this.#writings.get(id)?.includes(sealed) === false;
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
  #note(id: string, sealed: string): void {
    const writings = [...(this.#writings.get(id) ?? []), sealed].slice(-MAX_WRITINGS);
    this.#writings.delete(id);
    this.#writings.set(id, writings);
    const [earliest] = this.#writings.keys();
    if (this.#writings.size > MAX_IDS && earliest !== undefined) this.#writings.delete(earliest);
  }
}

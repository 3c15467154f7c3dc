export interface OwnEntry {
  readonly sealed: string;
  /** Only the poller that created a recheck may use its id. */
  readonly id?: string | undefined;
}

/** The maximum number of remembered recheck ids; the stream never has so many useful rechecks. */
const MAX_IDS = 4000;
/**
 * A poller encrypts a recheck again after each gap, and remembers the last eight encrypted texts of the recheck.
 * An encrypted text that the poller no longer remembers counts as forged and starts a new epoch.
 */
const MAX_WRITINGS = 8;

/**
 * Compares each entry in the stream with the bytes that this process wrote, since another service can replace an unread
 * entry. The poller sends no proof before it has read all its own entries.
 */
export class OwnEntries {
  readonly #sent = new Set<string>();
  readonly #taken = new Set<string>();
  readonly #writings = new Map<string, readonly string[]>();

  send(entries: readonly OwnEntry[]): void {
    for (const { sealed, id } of entries) {
      this.#sent.add(sealed);
      if (id !== undefined) this.#note(id, sealed);
    }
  }

  answered(entries: readonly OwnEntry[], isTaken: boolean): void {
    for (const { sealed } of entries) if (this.#sent.delete(sealed) && isTaken) this.#taken.add(sealed);
  }

  read(sealed: string): void {
    if (!this.#sent.delete(sealed)) this.#taken.delete(sealed);
  }

  isForged(sealed: string, id: string): boolean {
    return this.#writings.get(id)?.includes(sealed) === false;
  }

  get areRead(): boolean {
    return this.#taken.size === 0;
  }

  get expected(): ReadonlySet<string> {
    return new Set(this.#taken);
  }

  isMissing(expected: ReadonlySet<string>): boolean {
    return [...expected].some((one) => this.#taken.has(one));
  }

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

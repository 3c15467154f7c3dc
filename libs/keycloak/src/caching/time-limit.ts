/** The limit is split into parts, and a blocked process uses up only one of them. */
const PARTS = 5;

/** A plain timer fires before the data that arrived during a block is read, so every call in flight would time out. */
export class TimeLimit {
  #partsLeft = PARTS;
  #end: NodeJS.Immediate | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(
    ms: number,
    private readonly onOver: () => void,
  ) {
    this.#timer = setTimeout(() => this.#pass(), Math.ceil(ms / PARTS));
  }

  unref(): this {
    this.#timer.unref();
    return this;
  }

  clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#end);
  }

  #pass(): void {
    this.#partsLeft -= 1;
    if (this.#partsLeft > 0) this.#timer.refresh();
    // `setImmediate` runs after arrived data is read.
    else this.#end = setImmediate(this.onOver);
  }
}

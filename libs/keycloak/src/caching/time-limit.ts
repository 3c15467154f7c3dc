/** The number of parts of a time limit; a block of the process uses up only one part. */
const PARTS = 5;

/**
 * A timer that fires after the process has read arrived data. A plain timer fires before data is read that arrived
 * during a block of the process, so every call in flight would time out.
 */
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

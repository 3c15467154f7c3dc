/** A time limit consists of this number of timer intervals. While the process is blocked, only one interval ends. */
const PARTS = 5;

/**
 * A timer that fires after the process has read the received data. After the process was blocked, a plain timer would
 * fire first, and every call in flight would time out.
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
    // `setImmediate` runs after the process has read the received data.
    else this.#end = setImmediate(this.onOver);
  }
}

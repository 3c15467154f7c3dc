/** A time limit consists of several timer intervals, because a task that blocks Node can use up only one interval. */
const PARTS = 5;

/**
 * Fires only after the process has read the data that has already arrived. After a blocking task, a plain timer would
 * fire before the process reads the data, so every call would time out.
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

/** TimeLimit: ends something when its time is over, and not since this process was busy or stopped meanwhile. */

/** However long this process can neither send nor read, it counts as one of them. */
const PARTS = 5;

/**
 * A timer that is late goes off before what has arrived meanwhile is read: every call in flight would end with a time-out, and those it
 * was made to would be taken for ill.
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

  /** Keeps no process from its end. */
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
    // What has arrived is read after the timers, and before this.
    else this.#end = setImmediate(this.onOver);
  }
}

/** RepeatedLines: bounds the log lines that requests of one kind can cause, so that nobody can fill a log with requests. */

/** How many lines of one kind are written in a window. */
const LINES = 20;
/** How many lines of all kinds together are written in a window, beside the counts. */
const LINES_OF_ALL = 1000;
const WINDOW_MS = 10_000;
/** Kinds at one time. A kind is made of closed lists, such as reasons and routes; this bounds the memory all the same. */
const MAX_KINDS = 2000;
/** Stands for all kinds that come while there are so many. */
const OVERFLOW = Symbol('overflow');

/** The lines of one kind that were not written. */
export interface UnwrittenLines {
  readonly count: number;
  readonly seconds: number;
  /** True if the lines are of several kinds, which are counted together since there are too many kinds. Absent otherwise. */
  readonly isMixed?: true;
}

type Summarize = (unwritten: UnwrittenLines) => void;

interface Kind {
  timer: NodeJS.Timeout;
  /** Lines that may still be written in this window. */
  left: number;
  unwritten: number;
  summarize: Summarize;
}

/**
 * The first 20 lines of a kind in ten seconds are written. The others are counted, and one line at the end of the window says how many there were. While
 * more than 20 come in each window, there is only that line.
 *
 * An instance writes at most 1000 lines in ten seconds, whatever their kinds, and one count for each kind. It counts 2000 kinds at one time. All further kinds
 * count as one kind until others end.
 */
export class RepeatedLines {
  readonly #kinds = new Map<string | symbol, Kind>();
  readonly #all = { left: LINES_OF_ALL, endsAtMs: 0 };

  /**
   * Returns whether to write the line. If not, `summarize` writes the count when the window ends. `kind` is made of words of the application and the library; a text of a
   * caller in it would make a kind of each request.
   */
  admits(kind: string, summarize: Summarize): boolean {
    const known = this.#kinds.get(kind) ?? this.#open(kind, summarize);
    known.summarize = summarize;
    if (known.left > 0 && this.#takeOne()) {
      known.left -= 1;
      return true;
    }
    known.unwritten += 1;
    return false;
  }

  /** Writes the counts that there are. Call it when the application has ended. */
  end(): void {
    for (const kind of this.#kinds.keys()) this.#close(kind);
  }

  /** Returns false if the lines of all kinds are used up until the next window. */
  #takeOne(): boolean {
    const nowMs = performance.now();
    if (nowMs >= this.#all.endsAtMs) Object.assign(this.#all, { left: LINES_OF_ALL, endsAtMs: nowMs + WINDOW_MS });
    if (this.#all.left === 0) return false;
    this.#all.left -= 1;
    return true;
  }

  #open(named: string, summarize: Summarize): Kind {
    const kind = this.#kinds.size < MAX_KINDS ? named : OVERFLOW;
    const known = this.#kinds.get(kind);
    if (known !== undefined) return known;
    const opened: Kind = { timer: this.#windowOf(kind), left: LINES, unwritten: 0, summarize };
    this.#kinds.set(kind, opened);
    return opened;
  }

  #windowOf(kind: string | symbol): NodeJS.Timeout {
    return setTimeout(() => this.#next(kind), WINDOW_MS).unref();
  }

  #next(kind: string | symbol): void {
    const unwritten = this.#close(kind);
    if (unwritten === undefined || unwritten.unwritten === 0) return;
    const left = unwritten.unwritten > LINES ? 0 : LINES;
    this.#kinds.set(kind, { ...unwritten, timer: this.#windowOf(kind), left, unwritten: 0 });
  }

  #close(kind: string | symbol): Kind | undefined {
    const closed = this.#kinds.get(kind);
    this.#kinds.delete(kind);
    clearTimeout(closed?.timer);
    if (closed !== undefined && closed.unwritten > 0) {
      const unwritten = { count: closed.unwritten, seconds: WINDOW_MS / 1000 };
      closed.summarize(kind === OVERFLOW ? { ...unwritten, isMixed: true } : unwritten);
    }
    return closed;
  }
}

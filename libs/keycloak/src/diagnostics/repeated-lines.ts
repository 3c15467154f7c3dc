/** RepeatedLines: bounds the log lines that requests of one kind can cause, so that nobody can fill a log with requests. */

/** How many lines of one kind are written in a window. */
const LINES = 20;
const WINDOW_MS = 10_000;
/** Kinds at one time. A kind is made of closed lists, such as reasons and routes; this bounds the memory all the same. */
const MAX_KINDS = 2000;

/** The lines of one kind that were not written. */
export interface UnwrittenLines {
  readonly count: number;
  readonly seconds: number;
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
 */
export class RepeatedLines {
  readonly #kinds = new Map<string, Kind>();

  /**
   * Returns whether to write the line. If not, `summarize` writes the count when the window ends. `kind` is made of words of the application and the library; a text of a
   * caller in it would make a kind of each request.
   */
  admits(kind: string, summarize: Summarize): boolean {
    const known = this.#kinds.get(kind) ?? this.#open(kind, summarize);
    known.summarize = summarize;
    if (known.left > 0) {
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

  #open(kind: string, summarize: Summarize): Kind {
    const [oldest] = this.#kinds.size < MAX_KINDS ? [] : this.#kinds.keys();
    if (oldest !== undefined) this.#close(oldest);
    const opened: Kind = { timer: this.#windowOf(kind), left: LINES, unwritten: 0, summarize };
    this.#kinds.set(kind, opened);
    return opened;
  }

  #windowOf(kind: string): NodeJS.Timeout {
    return setTimeout(() => this.#next(kind), WINDOW_MS).unref();
  }

  #next(kind: string): void {
    const unwritten = this.#close(kind);
    if (unwritten === undefined || unwritten.unwritten === 0) return;
    const left = unwritten.unwritten > LINES ? 0 : LINES;
    this.#kinds.set(kind, { ...unwritten, timer: this.#windowOf(kind), left, unwritten: 0 });
  }

  #close(kind: string): Kind | undefined {
    const closed = this.#kinds.get(kind);
    this.#kinds.delete(kind);
    clearTimeout(closed?.timer);
    if (closed !== undefined && closed.unwritten > 0) {
      closed.summarize({ count: closed.unwritten, seconds: WINDOW_MS / 1000 });
    }
    return closed;
  }
}

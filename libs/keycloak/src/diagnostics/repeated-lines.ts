const LINES = 20;
const LINES_OF_ALL = 1000;
const WINDOW_MS = 10_000;
/** Limits the memory if more kinds of lines occur than expected. */
const MAX_KINDS = 2000;
const OVERFLOW = Symbol('overflow');

export interface UnwrittenLines {
  readonly count: number;
  readonly seconds: number;
  /** Present if `count` includes several kinds of lines, because more than `MAX_KINDS` kinds occurred. */
  readonly isMixed?: true;
}

type Summarize = (unwritten: UnwrittenLines) => void;

interface Kind {
  timer: NodeJS.Timeout;
  left: number;
  unwritten: number;
  summarize: Summarize;
}

/**
 * Limits the log lines of each kind, so that requests can't flood the log. Writes 20 lines per kind in ten seconds, and
 * summarizes the suppressed lines. If a kind had more than 20 suppressed lines, the next ten seconds have only a
 * summary of this kind.
 *
 * An instance writes at most 1000 lines in ten seconds, and one summary per kind. If more than 2000 kinds occur at a
 * time, all further kinds share a count.
 */
export class RepeatedLines {
  readonly #kinds = new Map<string | symbol, Kind>();
  readonly #all = { left: LINES_OF_ALL, endsAtMs: 0 };

  /**
   * Returns whether the line may be written. After a suppressed line, calls `summarize` when the window ends. `kind`
   * must not contain text of a caller.
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

  end(): void {
    for (const kind of this.#kinds.keys()) this.#close(kind);
  }

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

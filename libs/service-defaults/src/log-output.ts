/** Writing several lines together saves time (perf: request-log). */
const WAIT_MS = 20;

/** If more characters than this are waiting, the log writes all waiting lines immediately. */
const MAX_WAITING = 32_768;

/** Waiting lines are written at the exit, except after an unhandled signal. */
export class LogOutput {
  #waiting = '';
  #timer: NodeJS.Timeout | undefined;
  #isExitHandled = false;

  constructor(private readonly form: (line: string) => string) {}

  write(line: string): void {
    this.#waiting += this.form(line);
    this.flush();
  }

  writeSoon(line: string): void {
    this.#waiting += this.form(line);
    if (this.#waiting.length > MAX_WAITING) this.flush();
    else if (this.#timer === undefined) this.#flushSoon();
  }

  readonly flush = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = '';
    if (waiting !== '') process.stdout.write(waiting);
  };

  #flushSoon(): void {
    this.#timer = setTimeout(this.flush, WAIT_MS).unref();
    if (this.#isExitHandled) return;
    this.#isExitHandled = true;
    process.once('exit', this.flush);
  }
}

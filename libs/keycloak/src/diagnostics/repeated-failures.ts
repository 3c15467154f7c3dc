/** Logs errors that Nest does not log, at most 20 lines per error name in ten seconds. */
import { RepeatedLines } from './repeated-lines.js';

interface ErrorLog {
  error(line: unknown): void;
}

/**
 * `one` is logged for a thrown value that is not an `Error`. `others` is logged with the count of suppressed errors.
 */
interface Messages {
  readonly one: string;
  readonly others: string;
}

export class RepeatedFailures {
  readonly #repeated = new RepeatedLines();

  constructor(
    private readonly logger: ErrorLog,
    private readonly messages: Messages,
  ) {}

  log(error: unknown): void {
    const name = error instanceof Error ? error.name : 'unknown';
    const summarize = (unwritten: object): void =>
      this.logger.error({ message: this.messages.others, error: name, ...unwritten });
    if (!this.#repeated.admits(name, summarize)) return;
    this.logger.error(error instanceof Error ? error : this.messages.one);
  }

  end(): void {
    this.#repeated.end();
  }
}

/** RepeatedFailures: writes errors of the application that Nest does not log, at most 20 of one name in ten seconds. */
import { RepeatedLines } from './repeated-lines.js';

/** A logger of Nest fits. */
interface ErrorLog {
  error(line: unknown): void;
}

/** `one` is logged for an error that is not an `Error`. `others` is logged for the errors that are only counted. */
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

  /** Writes the counts that there are. Call it when the application has ended. */
  end(): void {
    this.#repeated.end();
  }
}

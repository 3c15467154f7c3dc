import { Readable } from 'node:stream';

export interface Reader {
  readonly wanted: () => void;
  readonly closed: () => void;
}

export class AnswerBody extends Readable {
  constructor(private readonly reader: Reader) {
    super();
  }

  override _read(): void {
    this.reader.wanted();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.reader.closed();
    // An `error` event without a listener would end the process.
    process.nextTick(() => done(this.listenerCount('error') === 0 ? null : error));
  }
}

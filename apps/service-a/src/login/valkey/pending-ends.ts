import type { Logger } from '@nestjs/common';
import { SessionStoreError } from '../session-store-error.js';

const MAX_PENDING = 10_000;
const SENT_AT_ONCE = 100;
const SEND_AGAIN_MS = 1000;

/** A retry would not fix these errors. The service denies the tokens of the ended session even without the store. */
const WILL_NOT_BE_TAKEN = new Set(['err', 'noperm', 'wrongtype', 'error_answer']);

export interface SessionEnd {
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

/** Repeats failed reports of ended sessions, because Keycloak does not repeat a logout notice. */
export class PendingEnds {
  readonly #ends = new Map<string, SessionEnd>();
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    private readonly sendEnd: (end: SessionEnd) => Promise<unknown>,
    private readonly logger: Logger,
  ) {}

  add(mark: string, end: SessionEnd): void {
    this.#ends.set(mark, end);
    const [oldest] = this.#ends.keys();
    if (this.#ends.size > MAX_PENDING && oldest !== undefined) this.#ends.delete(oldest);
    this.#sendLater();
  }

  async send(): Promise<void> {
    if (this.#ends.size > 0) await (this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined)));
  }

  close(): void {
    this.#isClosed = true;
  }

  /** A timer repeats the report, since the next request may arrive much later. */
  #sendLater(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#isClosed) void this.send().catch(() => this.#sendLater());
    }, SEND_AGAIN_MS).unref();
  }

  async #sendAll(): Promise<void> {
    while (this.#ends.size > 0) {
      await Promise.all([...this.#ends].slice(0, SENT_AT_ONCE).map(([mark, end]) => this.#sendOne(mark, end)));
    }
  }

  async #sendOne(mark: string, end: SessionEnd): Promise<void> {
    try {
      await this.sendEnd(end);
    } catch (error) {
      if (!(error instanceof SessionStoreError) || !WILL_NOT_BE_TAKEN.has(error.reason)) throw error;
      this.logger.error('The session store did not end the sessions', error.fields);
    }
    if (this.#ends.get(mark) === end) this.#ends.delete(mark);
  }
}

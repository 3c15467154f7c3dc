/** Unreadable entries: how much of a stream was sealed with keys that this process does not have. */
import type { ChannelReadability } from '../index.js';

export class UnreadableEntries {
  /** The numbers of those that are in the stream, the oldest first. */
  readonly #numbers = new Set<number>();
  #hasOpened = false;

  /** The stream is read from its beginning. */
  clear(): void {
    this.#numbers.clear();
    this.#hasOpened = false;
  }

  add(number: number, isUnreadable: boolean): void {
    if (isUnreadable) this.#numbers.add(number);
    else this.#hasOpened = true;
  }

  /** `first`: the oldest entry that the stream holds. `proof`: whether the proof beside it could be opened. */
  examined(first: number, proof: 'opened' | 'unreadable' | undefined): ChannelReadability {
    for (const number of this.#numbers) {
      if (number >= first) break;
      this.#numbers.delete(number);
    }
    const unreadable = this.#numbers.size + (proof === 'unreadable' ? 1 : 0);
    return { unreadable, hasOpened: this.#hasOpened || proof === 'opened' };
  }
}

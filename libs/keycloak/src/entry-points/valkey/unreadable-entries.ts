/** Unreadable entries: counts the entries that this process can't read, because it lacks the key or the version. */
import type { ChannelReadability, ChannelRefusal } from '../extension/index.js';

export class UnreadableEntries {
  /** Oldest first. */
  #numbers: number[] = [];
  #hasOpened = false;

  clear(): void {
    this.#numbers = [];
    this.#hasOpened = false;
  }

  /** `refusal`: undefined for an entry that was decrypted and has a known form. */
  add(number: number, refusal: ChannelRefusal | undefined): void {
    if (refusal === undefined) this.#hasOpened = true;
    else if (refusal === 'entry_unreadable' || refusal === 'entry_newer') this.#numbers.push(number);
  }

  /** `first`: the number of the oldest entry in the stream. */
  examined(first: number, proof: 'opened' | 'unreadable' | undefined): ChannelReadability {
    if ((this.#numbers[0] ?? first) < first) this.#numbers = this.#numbers.filter((number) => number >= first);
    const unreadable = this.#numbers.length + (proof === 'unreadable' ? 1 : 0);
    return { unreadable, hasOpened: this.#hasOpened || proof === 'opened' };
  }
}

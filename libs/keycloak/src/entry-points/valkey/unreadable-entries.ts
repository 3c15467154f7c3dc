/** Unreadable entries: how much of a stream this process can't read, since it lacks the key or the version. */
import type { ChannelReadability, ChannelRefusal } from '../extension/index.js';

export class UnreadableEntries {
  /** The numbers of those that are in the stream, the oldest first. */
  #numbers: number[] = [];
  #hasOpened = false;

  /** The stream is read from its beginning. */
  clear(): void {
    this.#numbers = [];
    this.#hasOpened = false;
  }

  /** `refusal`: why the entry was refused. It is undefined for an entry that was decrypted and has a known form. */
  add(number: number, refusal: ChannelRefusal | undefined): void {
    if (refusal === undefined) this.#hasOpened = true;
    else if (refusal === 'entry_unreadable' || refusal === 'entry_newer') this.#numbers.push(number);
  }

  /** `first`: the oldest entry that the stream holds. `proof`: whether the proof beside it could be opened. */
  examined(first: number, proof: 'opened' | 'unreadable' | undefined): ChannelReadability {
    if ((this.#numbers[0] ?? first) < first) this.#numbers = this.#numbers.filter((number) => number >= first);
    const unreadable = this.#numbers.length + (proof === 'unreadable' ? 1 : 0);
    return { unreadable, hasOpened: this.#hasOpened || proof === 'opened' };
  }
}

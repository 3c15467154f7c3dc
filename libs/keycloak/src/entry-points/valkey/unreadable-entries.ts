import type { ChannelReadability, ChannelRefusal } from '../extension/index.js';

export class UnreadableEntries {
  /** The numbers of the unreadable entries, with the oldest entry first. */
  #numbers: number[] = [];
  #hasOpened = false;

  clear(): void {
    this.#numbers = [];
    this.#hasOpened = false;
  }

  add(number: number, refusal: ChannelRefusal | undefined): void {
    if (refusal === undefined) this.#hasOpened = true;
    else if (refusal === 'entry_unreadable' || refusal === 'entry_newer') this.#numbers.push(number);
  }

  examined(first: number, proof: 'opened' | 'unreadable' | undefined): ChannelReadability {
    if ((this.#numbers[0] ?? first) < first) this.#numbers = this.#numbers.filter((number) => number >= first);
    const unreadable = this.#numbers.length + (proof === 'unreadable' ? 1 : 0);
    return { unreadable, hasOpened: this.#hasOpened || proof === 'opened' };
  }
}

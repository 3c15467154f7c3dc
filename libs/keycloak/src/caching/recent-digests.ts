interface Digested {
  readonly text: string;
  readonly digest: string;
}

/** The number of slots, a power of two. */
const SLOTS = 1024;

/** The last characters of a token are practically random. */
const SUFFIX_LENGTH = 5;

/** The references are weak, so the texts are gone after the next full garbage collection. */
export class RecentDigests {
  readonly #slots: (WeakRef<Digested> | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

  recall(text: string): string | undefined {
    const recent = this.#slots[slotOf(text)]?.deref();
    return recent?.text === text ? recent.digest : undefined;
  }

  /** Call `remember` only for recurring texts, because each new text may replace an older text. */
  remember(text: string, digest: string): void {
    this.#slots[slotOf(text)] = new WeakRef({ text, digest });
  }
}

function slotOf(text: string): number {
  let slot = text.length;
  for (let at = Math.max(0, text.length - SUFFIX_LENGTH); at < text.length; at += 1) {
    slot = (Math.imul(slot, 31) + text.charCodeAt(at)) | 0;
  }
  return slot & (SLOTS - 1);
}

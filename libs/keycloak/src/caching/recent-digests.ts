/** RecentDigests: the digests of texts that were seen a moment ago, so that the same text is not hashed twice. */

interface Digested {
  readonly text: string;
  readonly digest: string;
}

/** How many digests are kept; a later text takes the slot of an earlier one. A power of two. */
const SLOTS = 1024;

/** The slot of a text follows from this many of its last characters: those of a token are as good as random. */
const SUFFIX_LENGTH = 5;

/**
 * Texts are held weakly: they go with the next full garbage collection, and are neither keys nor values of anything. A
 * digest is given only for the very same text; the slot alone says nothing.
 */
export class RecentDigests {
  readonly #slots: (WeakRef<Digested> | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

  /** The digest of `text`, if it was remembered and is still there. */
  recall(text: string): string | undefined {
    const recent = this.#slots[slotOf(text)]?.deref();
    return recent?.text === text ? recent.digest : undefined;
  }

  /** For texts that will come again: the others would only take their slots. */
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

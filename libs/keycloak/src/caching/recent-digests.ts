/** RecentDigests: the digests of texts that were seen a moment ago, so that a text that comes again is not hashed again. */

interface Digested {
  readonly text: string;
  readonly digest: string;
}

/** A place for each text to be remembered in; one that comes later takes the place of an earlier one. A power of two. */
const PLACES = 1024;

/** So many of the last characters of a text say where its place is: those of a token are as good as random. */
const TELLING = 5;

/**
 * Texts are held weakly: they go with the next full garbage collection, and are neither keys nor values of anything. A
 * text is known again only when all of it is the same; its place alone says nothing.
 */
export class RecentDigests {
  readonly #places: (WeakRef<Digested> | undefined)[] = Array.from({ length: PLACES }, () => undefined);

  /** The digest of `text`, if it was remembered and is still there. */
  recall(text: string): string | undefined {
    const recent = this.#places[placeOf(text)]?.deref();
    return recent?.text === text ? recent.digest : undefined;
  }

  /** For texts that will come again: the others would only take their places. */
  remember(text: string, digest: string): void {
    this.#places[placeOf(text)] = new WeakRef({ text, digest });
  }
}

function placeOf(text: string): number {
  let place = text.length;
  for (let at = Math.max(0, text.length - TELLING); at < text.length; at += 1) {
    place = (Math.imul(place, 31) + text.charCodeAt(at)) | 0;
  }
  return place & (PLACES - 1);
}

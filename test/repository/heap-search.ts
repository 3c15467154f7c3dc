/** Heap search: whether a text is held anywhere in this process, by private fields, closures and caches too. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { getHeapSnapshot } from 'node:v8';

/** As far as a snapshot shows a string. */
const SHOWN_CHARACTERS = 1024;

/**
 * For each of `marks`, bytes in hex, whether a string that holds it is reachable. A mark is bytes because a text that is looked
 * for would be found in the search itself. Of a string the first 1,024 characters are looked at, and no buffers.
 */
export async function foundInHeap(marks: readonly Buffer[]): Promise<boolean[]> {
  // What a weak reference has given out lives to the end of the turn; and the engine holds what an expression last matched.
  await nextTurn();
  /x/.exec('x');
  const snapshot = getHeapSnapshot();
  // What is made from here on is not in it.
  const texts = marks.map((mark) => mark.toString('hex'));
  const found = texts.map(() => false);
  let seam = '';
  for await (const chunk of snapshot.setEncoding('utf8')) {
    const part = `${seam}${String(chunk)}`;
    texts.forEach((text, at) => {
      found[at] ||= part.includes(text);
    });
    seam = part.slice(-SHOWN_CHARACTERS);
  }
  return found;
}

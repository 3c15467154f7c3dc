import { setImmediate as nextTurn } from 'node:timers/promises';
import { getHeapSnapshot } from 'node:v8';

/** V8 shows at most this many characters of a string in a heap snapshot. */
const SHOWN_CHARACTERS = 1024;

/** The marks are buffers, so the search does not find the marks themselves. */
export async function foundInHeap(marks: readonly Buffer[]): Promise<boolean[]> {
  // V8 keeps the target of a used weak reference until the next turn of the event loop.
  await nextTurn();
  // V8 keeps the input of the last regex match, so the last match must not contain a token.
  /x/.exec('x');
  const snapshot = getHeapSnapshot();
  // Converts the marks to text after the snapshot, so that the snapshot does not contain the text.
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

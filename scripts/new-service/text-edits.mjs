// Each function throws if nothing matches.

/**
 * @param {string} text
 * @param {RegExp} place with the flag `g`
 * @param {string} added
 */
export function insertAfterLast(text, place, added) {
  const last = [...text.matchAll(place)].at(-1);
  if (last === undefined)
    throw new Error(`Nothing can be added, because the text has no match for ${place}: ${text.slice(0, 60)} …`);
  const end = last.index + last[0].length;
  return text.slice(0, end) + added + text.slice(end);
}

/**
 * @param {string} text
 * @param {RegExp} place
 * @param {string} added
 */
export const insertAfter = (text, place, added) => replace(text, place, (found) => found + added);

/**
 * @param {string} text
 * @param {RegExp} place
 * @param {(found: string, ...groups: string[]) => string} by
 */
export function replace(text, place, by) {
  if (!place.test(text))
    throw new Error(`Nothing can be replaced, because the text has no match for ${place}: ${text.slice(0, 60)} …`);
  return text.replace(place, by);
}

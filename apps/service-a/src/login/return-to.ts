/** Return-to: where a browser goes after login or logout; a path of this origin, or the start page. */

const START = '/';
const MAX_CHARACTERS = 2048;
/** Only to compare with: what leads away from it, leads away from us. */
const BASE = 'https://here.invalid';

/**
 * The path that was asked for when it is one of this origin, else `/`. What browsers make of a location is more than what it
 * looks like (`//host`, `/\host`, dots, encoded slashes, tabs that they drop), so the result is judged, not the text alone.
 */
export function returnTo(asked: unknown): string {
  if (typeof asked !== 'string' || asked.length > MAX_CHARACTERS) return START;
  // Blanks, control characters and backslashes have no place in a path; nor have bytes that a header can't carry.
  if (!/^\/[\x21-\x5B\x5D-\x7E]*$/.test(asked) || !URL.canParse(asked, BASE)) return START;
  const { origin, pathname, search, hash } = new URL(asked, BASE);
  if (origin !== BASE || /^\/(?:[/\\]|%2f|%5c)/i.test(pathname)) return START;
  // A login that ends at a login would go round.
  return pathname.startsWith('/auth/') ? START : pathname + search + hash;
}

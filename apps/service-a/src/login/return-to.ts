/** Return-to: the path to which a browser returns after a login; always on this origin. */

const START = '/';
const MAX_CHARACTERS = 2048;
/** A placeholder origin: a path that leads away from it would lead away from this service. */
const BASE = 'https://here.invalid';

/**
 * The requested path if it is on this origin, else `/`. Browsers rewrite a location (`//host`, `/\host`, dots, encoded slashes,
 * dropped tabs), so the parsed result is checked, not the text alone.
 */
export function returnTo(asked: unknown): string {
  if (typeof asked !== 'string') return START;
  // A path contains no blanks, control characters, backslashes, or bytes that a header can't carry.
  if (!/^\/[\x21-\x5B\x5D-\x7E]*$/.test(asked) || !URL.canParse(asked, BASE)) return START;
  const { origin, pathname, search, hash } = new URL(asked, BASE);
  if (origin !== BASE || /^\/(?:[/\\]|%2f|%5c)/i.test(pathname)) return START;
  // A login that returns to the login would loop, however its path is spelt.
  if (decoded(pathname).startsWith('/auth/')) return START;
  const path = pathname + search + hash;
  // As it is kept: the URL has three characters for some that were asked for.
  return path.length > MAX_CHARACTERS ? START : path;
}

/** As the router has it; nothing is at a path that it can't decode. */
function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

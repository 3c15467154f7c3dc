const START = '/';
const MAX_CHARACTERS = 2048;
/** If the parsed URL has a different origin than this placeholder, the path leads to another site. */
const BASE = 'https://here.invalid';

/**
 * Browsers rewrite a location such as `//host` or `/\host`, so the function checks both the text and the parsed URL.
 */
export function returnTo(asked: unknown): string {
  if (typeof asked !== 'string') return START;
  // A path contains no blanks, control characters, backslashes, or bytes that a header can't carry.
  if (!/^\/[\x21-\x5B\x5D-\x7E]*$/.test(asked) || !URL.canParse(asked, BASE)) return START;
  const { origin, pathname, search, hash } = new URL(asked, BASE);
  if (origin !== BASE || /^\/(?:[/\\]|%2f|%5c)/i.test(pathname)) return START;
  // A return to a login path would loop, so the decoded path is checked.
  if (decoded(pathname).startsWith('/auth/')) return START;
  const path = pathname + search + hash;
  // The length is checked after parsing, since the URL parser replaces some characters by three characters.
  return path.length > MAX_CHARACTERS ? START : path;
}

/** Decodes like the router, which finds no route if decoding fails. */
function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

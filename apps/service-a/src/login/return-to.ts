const START = '/';
const MAX_CHARACTERS = 2048;
/** A placeholder origin: if parsing changes it, the path leads to another origin. */
const BASE = 'https://here.invalid';

/** Browsers rewrite a location such as `//host` or `/\host`, so the parsed result is checked, not the text alone. */
export function returnTo(asked: unknown): string {
  if (typeof asked !== 'string') return START;
  // A path contains no blanks, control characters, backslashes, or bytes that a header can't carry.
  if (!/^\/[\x21-\x5B\x5D-\x7E]*$/.test(asked) || !URL.canParse(asked, BASE)) return START;
  const { origin, pathname, search, hash } = new URL(asked, BASE);
  if (origin !== BASE || /^\/(?:[/\\]|%2f|%5c)/i.test(pathname)) return START;
  // A return to a login path would loop, so the decoded path is checked.
  if (decoded(pathname).startsWith('/auth/')) return START;
  const path = pathname + search + hash;
  // Checked after parsing, since the URL parser replaces some characters by three characters.
  return path.length > MAX_CHARACTERS ? START : path;
}

/** Decodes like the router, which finds no route for a path that can't be decoded. */
function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

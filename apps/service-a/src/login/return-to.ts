const START = '/';
const MAX_CHARACTERS = 2048;
/** A placeholder, which shows that a path leads to another origin. */
const BASE = 'https://here.invalid';

/** Browsers rewrite a location such as `//host` or `/\host`, so the parsed result is checked, not the text alone. */
export function returnTo(asked: unknown): string {
  if (typeof asked !== 'string') return START;
  // A path contains no blanks, control characters, backslashes, or bytes that a header can't carry.
  if (!/^\/[\x21-\x5B\x5D-\x7E]*$/.test(asked) || !URL.canParse(asked, BASE)) return START;
  const { origin, pathname, search, hash } = new URL(asked, BASE);
  if (origin !== BASE || /^\/(?:[/\\]|%2f|%5c)/i.test(pathname)) return START;
  // A login that returns to the login would loop, however its path is spelled.
  if (decoded(pathname).startsWith('/auth/')) return START;
  const path = pathname + search + hash;
  // After parsing, since the URL has three characters for some characters of the text.
  return path.length > MAX_CHARACTERS ? START : path;
}

/** As the router decodes it: a path that can't be decoded leads nowhere. */
function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

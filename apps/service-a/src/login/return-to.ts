const START = '/';
const MAX_CHARACTERS = 2048;
const BASE = 'https://here.invalid';

/** Checks the text and the parsed URL, because browsers rewrite `//host` and `/\host`. */
export function returnTo(asked: unknown): string {
  if (typeof asked !== 'string') return START;
  // A path has no blanks, control characters, backslashes, or bytes that headers can't carry.
  if (!/^\/[\x21-\x5B\x5D-\x7E]*$/.test(asked) || !URL.canParse(asked, BASE)) return START;
  const { origin, pathname, search, hash } = new URL(asked, BASE);
  if (origin !== BASE || /^\/(?:[/\\]|%2f|%5c)/i.test(pathname)) return START;
  // A redirect to a login path would cause a loop of logins, so the decoded path must not begin with `/auth/`.
  if (decoded(pathname).startsWith('/auth/')) return START;
  const path = pathname + search + hash;
  // The URL parser may replace a character by three characters.
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

/** Request path: path and query of a request as they are sent, or undefined where sending would change them. */

/** A path that the URL parser leaves as it is. */
const PLAIN_PATH = /^(?:\/[\w~-]+)+$/;

/**
 * `.` or `..`, also encoded, between slashes that may be encoded, too: proxies decode a path before they route by it. A decoded `?` or `#` ends the path. Some
 * servers ignore what follows `;`, and some remove spaces at the begin and the end of a segment.
 */
const DOT_SEGMENT = /(?:\/|%2f|%5c)(?: |%20)*(?:\.|%2e){1,2}(?: |%20)*(?:[/;]|%2f|%5c|%3b|%3f|%23|$)/i;

/** A proxy that forwards a decoded path would turn `%0d%0a` into a line break, and the rest of the path into a header. */
const ENCODED_CONTROL = /%(?:[01][0-9a-f]|7f)/i;

/** Characters that the URL parser may percent-encode: RFC 3986 allows none of them in a path or query, but for the apostrophe. */
const ENCODABLE = /["'<>^`{|}]|[^\p{Cc}\p{Cs}!-~]/gu;

/**
 * Path and query as they are sent for `path`, which begins with a slash. Spaces and characters that are not ASCII are percent-encoded
 * (URL Standard); encoded characters stay as they are.
 *
 * Undefined if anything else would change, or if a proxy would read it in another way. This concerns a dot segment (also encoded), a
 * backslash, a `#`, a control character and a lone surrogate. In the path it also concerns an encoded control character (`%00` to
 * `%1f`, `%7f`).
 */
export function sentPath(path: string): string | undefined {
  if (PLAIN_PATH.test(path)) return path;
  const [pathname = ''] = path.split('?', 1);
  if (/[\\#]/.test(path) || DOT_SEGMENT.test(pathname) || ENCODED_CONTROL.test(pathname)) return undefined;
  // The parser would cut off spaces at the end.
  const sent = new URL(`${ORIGIN}${path.replaceAll(' ', '%20')}`).href.slice(ORIGIN.length);
  return sent === path || encoded(sent) === encoded(path) ? sent : undefined;
}

/** Scheme, host and port as they were written, then path and query, with a slash at their begin. Undefined unless `url` is an absolute http(s) URL without user name and password. */
export function splitUrl(url: string): readonly [base: string, path: string] | undefined {
  const [, base, path] = /^(https?:\/\/[^/?#\\@\s\p{Cc}]+)((?:[/?#\\].*)?)$/isu.exec(url) ?? [];
  if (base === undefined || path === undefined || !URL.canParse(base)) return undefined;
  return [base, path.startsWith('/') ? path : `/${path}`];
}

const ORIGIN = 'http://host';

const encoded = (path: string): string => path.replaceAll(ENCODABLE, percentEncoded);

const percentEncoded = (character: string): string => (character === "'" ? '%27' : encodeURIComponent(character));

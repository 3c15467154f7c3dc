const PLAIN_PATH = /^(?:\/[\w~-]+)+$/;

/**
 * An encoded dot segment also matches, because proxies decode a path before routing. Some servers ignore text after
 * `;`, and some trim spaces around segments.
 */
const DOT_SEGMENT = /(?:\/|%2f|%5c)(?: |%20)*(?:\.|%2e){1,2}(?: |%20)*(?:[/;]|%2f|%5c|%3b|%3f|%23|$)/i;

/** If a proxy forwards the decoded path, the text after `%0d%0a` becomes a header. */
const ENCODED_CONTROL = /%(?:[01][0-9a-f]|7f)/i;

/**
 * The characters that the URL parser may percent-encode: the apostrophe, and characters that RFC 3986 forbids in a URL.
 */
const ENCODABLE = /["'<>^`{|}]|[^\p{Cc}\p{Cs}!-~]/gu;

/**
 * Percent-encodes spaces and non-ASCII characters (URL Standard). Returns undefined if the URL parser would change the
 * path in another way, or if a proxy could misread the path.
 */
export function sentPath(path: string): string | undefined {
  if (PLAIN_PATH.test(path)) return path;
  const [pathname = ''] = path.split('?', 1);
  if (/[\\#]/.test(path) || DOT_SEGMENT.test(pathname) || ENCODED_CONTROL.test(pathname)) return undefined;
  // The URL parser would drop the spaces at the end of the path.
  const sent = new URL(`${ORIGIN}${path.replaceAll(' ', '%20')}`).href.slice(ORIGIN.length);
  return sent === path || encoded(sent) === encoded(path) ? sent : undefined;
}

/** Returns undefined if `url` is not absolute or has credentials. */
export function splitUrl(url: string): readonly [base: string, path: string] | undefined {
  const [, base, path] = /^(https?:\/\/[^/?#\\@\s\p{Cc}]+)((?:[/?#\\].*)?)$/isu.exec(url) ?? [];
  if (base === undefined || path === undefined || !URL.canParse(base)) return undefined;
  return [base, path.startsWith('/') ? path : `/${path}`];
}

const ORIGIN = 'http://host';

const encoded = (path: string): string => path.replaceAll(ENCODABLE, percentEncoded);

const percentEncoded = (character: string): string => (character === "'" ? '%27' : encodeURIComponent(character));

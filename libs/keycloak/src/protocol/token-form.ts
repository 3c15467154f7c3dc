/** Token form: what a text must look like to be an access token at all. */
import { isB64Token } from './b64token.js';
import { ownProperty } from './claims.js';

/**
 * Whether a text has the form of an access token. It must allow one spelling of each token: a hash of the text stands for the
 * token in caches, flights and denials. Which form it is, is set by the wiring and never guessed from a text.
 */
export type TokenForm = (text: string) => boolean;

const THREE_PARTS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Keycloak's access tokens: three parts of base64url without padding, none empty (RFC 7515 §7.1), each in its canonical
 * spelling (RFC 4648 §3.5). Servers that decode leniently take one token in thousands of others. The header names an
 * algorithm (§4.1.1), and not `none`: of others Keycloak does not say that they are inactive, but 400, as for a fault of ours; of `none`
 * 26.4 does so, while 26.6 says inactive. Whether it is a token, only the server can say: nothing else of it is decoded.
 */
export const isCompactJws: TokenForm = (text) => {
  if (!THREE_PARTS.test(text)) return false;
  if (!text.split('.').every(isCanonical)) return false;
  const alg = ownProperty(headerOf(text), 'alg');
  return typeof alg === 'string' && alg !== 'none';
};

/**
 * Of a compact JWS: whether its header says that it is an access token (RFC 9068 §4). A media type may be written in any case, and without its
 * `application/` (RFC 7515 §4.1.9).
 */
export const isAccessTokenJwt: TokenForm = (text) => {
  const typ = ownProperty(headerOf(text), 'typ');
  return typeof typ === 'string' && /^(?:application\/)?at\+jwt$/i.test(typ);
};

/**
 * Whatever can stand in an `Authorization` header (RFC 6750 §2.1). What begins as a JWT must be a compact JWS in its one spelling; of a text that means nothing to us
 * (opaque) those are left out that base64 has no use for: padding that pads nothing, and two alphabets in one.
 */
export const isBearerToken: TokenForm = (text) =>
  isB64Token(text) && (isObject(headerOf(text)) ? isCompactJws(text) : isOneBase64(text));

function isOneBase64(text: string): boolean {
  const hasPadding = text.endsWith('=');
  if (hasPadding && (text.length % 4 !== 0 || text.endsWith('==='))) return false;
  return !(/[+/]/.test(text) && /[-_]/.test(text));
}

/** What stands before the first point, if it is JSON at all; in whatever spelling a lenient server would read it. */
function headerOf(text: string): unknown {
  const end = text.indexOf('.');
  if (end < 1) return undefined;
  try {
    return JSON.parse(Buffer.from(text.slice(0, end), 'base64url').toString());
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** Whether the last character sets no bit that a decoder throws away. */
function isCanonical(base64url: string): boolean {
  const last = base64url.slice(-1);
  switch (base64url.length % 4) {
    case 0:
      return true;
    case 2:
      return 'AQgw'.includes(last);
    case 3:
      return 'AEIMQUYcgkosw048'.includes(last);
    default:
      return false;
  }
}

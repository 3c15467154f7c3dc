/** Token form: the syntax that a text must have to be an access token. */
import { isB64Token } from './b64token.js';
import { ownProperty } from './claims.js';

/**
 * Whether a text has the syntax of an access token. The form must allow one spelling per token, because caches, flights
 * and denials identify a token by the hash of its text. The configuration selects the form; it is never guessed from a
 * text.
 */
export type TokenForm = (text: string) => boolean;

const THREE_PARTS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Keycloak's access tokens: a compact JWS (RFC 7515 §7.1) whose three parts are canonical base64url without padding
 * (RFC 4648 §3.5). Lenient decoders accept thousands of other spellings of the same token. The header must name an
 * algorithm other than `none` (§4.1.1). If it names no algorithm, Keycloak answers introspection with 400, as for a
 * fault of this service, instead of inactive. For `none`, 26.4 answers 400 and 26.6 inactive.
 */
export const isCompactJws: TokenForm = (text) => {
  if (!THREE_PARTS.test(text)) return false;
  if (!text.split('.').every(isCanonical)) return false;
  const alg = ownProperty(headerOf(text), 'alg');
  return typeof alg === 'string' && alg !== 'none';
};

/**
 * Whether the header of a compact JWS marks an access token (RFC 9068 §4). Media types are case-insensitive, and
 * `application/` may be omitted (RFC 7515 §4.1.9).
 */
export const isAccessTokenJwt: TokenForm = (text) => {
  const typ = ownProperty(headerOf(text), 'typ');
  return typeof typ === 'string' && /^(?:application\/)?at\+jwt$/i.test(typ);
};

/**
 * Any token that an `Authorization` header can carry (RFC 6750 §2.1). A text that starts like a JWT must be a compact
 * JWS. An opaque token must not have useless base64 padding or mix both base64 alphabets.
 */
export const isBearerToken: TokenForm = (text) =>
  isB64Token(text) && (isObject(headerOf(text)) ? isCompactJws(text) : isOneBase64(text));

function isOneBase64(text: string): boolean {
  const hasPadding = text.endsWith('=');
  if (hasPadding && (text.length % 4 !== 0 || text.endsWith('==='))) return false;
  return !(/[+/]/.test(text) && /[-_]/.test(text));
}

/** Decoded as leniently as a server might. */
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

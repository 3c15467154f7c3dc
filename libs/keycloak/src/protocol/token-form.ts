import { isB64Token } from './b64token.js';
import { ownProperty } from './claims.js';

/** Accepts only one spelling of each token, because caches and denials hash the text. */
export type TokenForm = (text: string) => boolean;

const THREE_PARTS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * A compact JWS (RFC 7515 §7.1) in canonical base64url (RFC 4648 §3.5). Lenient decoders accept thousands of other
 * spellings of a token. If a token has no `alg`, Keycloak answers its introspection with 400, which usually means a
 * fault of this service. For the `alg` `none`, Keycloak 26.4 answers 400 and Keycloak 26.6 answers inactive.
 */
export const isCompactJws: TokenForm = (text) => {
  if (!THREE_PARTS.test(text)) return false;
  if (!text.split('.').every(isCanonical)) return false;
  const alg = ownProperty(headerOf(text), 'alg');
  return typeof alg === 'string' && alg !== 'none';
};

/**
 * Returns whether `typ` names an access token (RFC 9068 §4). Media types are case-insensitive, and `application/` may
 * be omitted (RFC 7515 §4.1.9).
 */
export const isAccessTokenJwt: TokenForm = (text) => {
  const typ = ownProperty(headerOf(text), 'typ');
  return typeof typ === 'string' && /^(?:application\/)?at\+jwt$/i.test(typ);
};

/**
 * A bearer token in canonical spelling (RFC 6750 §2.1). Useless padding and mixed base64 alphabets would allow other
 * spellings.
 */
export const isBearerToken: TokenForm = (text) =>
  isB64Token(text) && (isObject(headerOf(text)) ? isCompactJws(text) : isOneBase64(text));

function isOneBase64(text: string): boolean {
  const hasPadding = text.endsWith('=');
  if (hasPadding && (text.length % 4 !== 0 || text.endsWith('==='))) return false;
  return !(/[+/]/.test(text) && /[-_]/.test(text));
}

/** Decodes leniently, like some servers, so that a non-canonical JWT does not count as an opaque token. */
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

/** Token form: what a text must look like to be an access token at all. */
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
  const parts = text.split('.');
  return parts.every(isCanonical) && isSigned(parts[0] ?? '');
};

function isSigned(header: string): boolean {
  try {
    const alg = ownProperty(JSON.parse(Buffer.from(header, 'base64url').toString()), 'alg');
    return typeof alg === 'string' && alg !== 'none';
  } catch {
    return false;
  }
}

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

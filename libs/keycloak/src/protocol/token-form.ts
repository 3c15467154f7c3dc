/** Token form: what a text must look like to be an access token at all. */

/**
 * Whether a text has the form of an access token. It must allow one spelling of each token: a hash of the text stands for the
 * token in caches, flights and denials. Which form it is, is set by the wiring and never guessed from a text.
 */
export type TokenForm = (text: string) => boolean;

const THREE_PARTS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Keycloak's access tokens: three parts of base64url without padding, none empty (RFC 7515 §7.1), each in its canonical
 * spelling (RFC 4648 §3.5). Servers that decode leniently take one token in thousands of others. Whether it is a token, only
 * the server can say: nothing of it is decoded.
 */
export const isCompactJws: TokenForm = (text) => THREE_PARTS.test(text) && text.split('.').every(isCanonical);

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

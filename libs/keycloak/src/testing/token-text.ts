import { hash } from 'node:crypto';

/**
 * Returns the same text, with an invalid signature, for the same `id`. `iss` selects the issuer in applications with
 * several.
 */
export const tokenText = (id: string, typ = 'JWT', iss?: unknown): string =>
  `${encoded({ alg: 'RS256', typ, kid: 'made-up' })}.${encoded({ iss, jti: id })}.${hash('sha256', id, 'base64url')}`;

function encoded(json: object): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url');
}

import { hash } from 'node:crypto';

/**
 * Returns a token with an invalid signature, and returns equal tokens for equal arguments. In an application with
 * several issuers, `iss` selects the issuer.
 */
export const tokenText = (id: string, typ = 'JWT', iss?: unknown): string =>
  `${encoded({ alg: 'RS256', typ, kid: 'made-up' })}.${encoded({ iss, jti: id })}.${hash('sha256', id, 'base64url')}`;

function encoded(json: object): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url');
}

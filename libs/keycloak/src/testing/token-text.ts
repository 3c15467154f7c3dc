/** Token text: made-up tokens that have the form of a token of Keycloak's, and are known to nobody. */
import { hash } from 'node:crypto';

const HEADER = encoded({ alg: 'RS256', typ: 'JWT', kid: 'made-up' });

/** The same for the same `id`. Its signature is none. */
export const tokenText = (id: string): string => `${HEADER}.${encoded({ jti: id })}.${hash('sha256', id, 'base64url')}`;

function encoded(json: object): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url');
}

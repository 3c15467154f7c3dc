/** Token hashes: what stands for a token wherever the token itself must not be. */
import { hash } from 'node:crypto';

/** SHA-256 of a token, in hex: for keys of caches and flights. */
export function tokenHash(value: string): string {
  return hash('sha256', value, 'hex');
}

/** The first 32 bits of the hash: enough for a person to tell two tokens apart in a log or on a page. */
export function fingerprint(value: string): string {
  return `token:${tokenHash(value).slice(0, 8)}`;
}

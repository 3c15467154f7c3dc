import { hash } from 'node:crypto';

export function tokenHash(value: string): string {
  return hash('sha256', value, 'hex');
}

/** Returns a fingerprint of 32 bits, with which a person can distinguish tokens in a log or on a page. */
export function fingerprint(value: string): string {
  return `token:${tokenHash(value).slice(0, 8)}`;
}

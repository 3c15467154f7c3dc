import { hash } from 'node:crypto';

export function tokenHash(value: string): string {
  return hash('sha256', value, 'hex');
}

/** A person can distinguish tokens in a log or page by the 32 bits of a fingerprint. */
export function fingerprint(value: string): string {
  return `token:${tokenHash(value).slice(0, 8)}`;
}

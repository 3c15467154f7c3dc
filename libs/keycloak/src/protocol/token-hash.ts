import { hash } from 'node:crypto';

export function tokenHash(value: string): string {
  return hash('sha256', value, 'hex');
}

/** A person can distinguish tokens in a log or page by these 32 bits. */
export function fingerprint(value: string): string {
  return `token:${tokenHash(value).slice(0, 8)}`;
}

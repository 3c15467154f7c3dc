import { hash } from 'node:crypto';

export function tokenHash(value: string): string {
  return hash('sha256', value, 'hex');
}

/** 32 bits are enough for a person to tell tokens apart in a log or on a page. */
export function fingerprint(value: string): string {
  return `token:${tokenHash(value).slice(0, 8)}`;
}

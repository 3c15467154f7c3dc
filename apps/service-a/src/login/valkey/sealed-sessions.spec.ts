import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SealingKeys } from 'nestjs-keycloak-s2s/valkey';
import { SessionStoreError } from '../session-store-error.js';
import { SealedSessions } from './sealed-sessions.js';

const keys = new SealingKeys([randomBytes(32).toString('base64')]);
const sealed = new SealedSessions(keys, 'issuer', 'service-a');
const NEWER = Buffer.from([2, ...randomBytes(90)]).toString('base64');
const associated = (form: string, ...what: readonly string[]): string[] => [form, 'issuer', 'service-a', ...what];

describe('SealedSessions', () => {
  it('returns no session if a newer version, a newer format or unknown keys encrypted the session', () => {
    const content = JSON.stringify({ tokens: {} });
    const other = new SealingKeys([randomBytes(32).toString('base64')]);
    for (const text of [
      NEWER,
      keys.seal(content, associated('2', 'session', 'key')),
      other.seal(content, associated('1', 'session', 'key')),
    ]) {
      expect(sealed.read('key', text)).toBeUndefined();
    }
  });

  it('throws for a recheck that a newer version wrote, because the recheck may end sessions', () => {
    expect(() => sealed.readRecheck(NEWER)).toThrow(SessionStoreError);
    const times = { lastMs: 2 } as never;
    expect(sealed.readRecheck(sealed.writeRecheck(times))).toEqual(times);
    expect(sealed.readRecheck('AAAA')).toBeUndefined();
    expect(sealed.readRecheck('garbage 0.4711')).toBeUndefined();
  });
});

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { SharedRevocation } from '../extension/index.js';
import { RevocationEntries } from './revocation-entries.js';
import { SealingKeys } from './sealing-keys.js';

const ISSUER = 'https://keycloak.test/realms/test';
const AT = 1_700_000_000.25;
const keys = new SealingKeys([randomBytes(32).toString('base64')]);
const entries = new RevocationEntries(keys, ISSUER);
const sealed = (content: unknown): string => keys.seal(JSON.stringify(content), ['revocation', ISSUER]);

describe('RevocationEntries', () => {
  it.each<SharedRevocation>([
    { kind: 'denial', denial: { kind: 'session', key: 's1', issuedBefore: Infinity }, at: AT },
    { kind: 'denial', denial: { kind: 'onlineSession', key: 's1', issuedBefore: Infinity }, at: AT },
    { kind: 'denial', denial: { kind: 'subject', key: 'alice', issuedBefore: AT }, at: AT },
    { kind: 'denial', denial: { kind: 'token', key: 'ab', issuedBefore: Infinity }, at: AT },
    { kind: 'denial', denial: { kind: 'tokenId', key: 'j1', issuedBefore: Infinity }, at: AT },
    { kind: 'recheck', recheck: { sid: 's1' }, at: AT, id: 'r1' },
    { kind: 'recheck', recheck: { sub: 'alice' }, at: AT, id: 'r1' },
    { kind: 'recheck', recheck: { clientId: 'shop' }, at: AT, id: 'r1' },
    { kind: 'recheck', recheck: 'everything', at: AT, id: 'r1' },
    { kind: 'floor', at: AT },
  ])('reads an entry that it wrote: %j', (revocation) => {
    expect(entries.read(entries.write(revocation, 5000, 1000))).toEqual({
      revocation,
      writtenAtMs: 1000,
      usefulUntilMs: 6000,
    });
    expect(entries.read(entries.write(revocation, 5000))).toEqual({
      revocation,
      writtenAtMs: Number.NaN,
      usefulUntilMs: undefined,
    });
  });

  it.each<unknown>([
    null,
    7,
    [],
    {},
    { k: 'later', v: 'x', t: AT },
    { k: 'session', t: AT },
    { k: 'session', v: '', t: AT },
    { k: 'session', v: 7, t: AT },
    { k: 'session', v: 's1' },
    { k: 'session', v: 's1', b: 'x', t: AT },
    { k: 'sid', t: AT },
    { k: 'floor' },
  ])('rejects an invalid entry: %j', (content) => {
    expect(entries.read(sealed(content))).toBe('entry_malformed');
  });

  it('reads an entry without a format number, and rejects a newer format', () => {
    const denial = { k: 'session', v: 's1', t: AT };
    expect(entries.read(sealed(denial))).toMatchObject({ revocation: { kind: 'denial' } });
    expect(entries.read(sealed({ ...denial, f: 1 }))).toMatchObject({ revocation: { kind: 'denial' } });
    expect(entries.read(sealed({ ...denial, f: 2 }))).toBe('entry_newer');
    expect(entries.read(Buffer.from([2, ...randomBytes(90)]).toString('base64'))).toBe('entry_newer');
  });

  it('rejects an empty text, invalid JSON, and a text that was encrypted with other keys', () => {
    const other = new SealingKeys([randomBytes(32).toString('base64')]);
    expect([
      entries.read(keys.seal('{', ['revocation', ISSUER])),
      entries.read(other.seal('{}', ['revocation', ISSUER])),
      entries.read(''),
    ]).toEqual(['entry_malformed', 'entry_unreadable', 'entry_unreadable']);
  });
});

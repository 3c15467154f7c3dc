import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { SharedRevocation } from '../index.js';
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
  ])('reads what it wrote: %j', (revocation) => {
    expect(entries.read(entries.write(revocation))?.revocation).toEqual(revocation);
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
  ])('passes over what it does not know: %j', (content) => {
    expect(entries.read(sealed(content))).toBeUndefined();
  });

  it('passes over what is no JSON, and what is missing', () => {
    expect([entries.read(keys.seal('{', ['revocation', ISSUER])), entries.read(undefined)]).toEqual([
      undefined,
      undefined,
    ]);
  });
});

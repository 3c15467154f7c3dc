import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SealingKeys } from './sealing-keys.js';

const [ONE, OTHER] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64url')];
const WHAT = ['revocation', 'https://keycloak.test/realms/test'];

describe('SealingKeys', () => {
  it('decrypts each text that it has encrypted', () => {
    const keys = new SealingKeys([ONE]);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(keys.open(keys.seal(text, WHAT), WHAT)).toBe(Buffer.from(text).toString());
      }),
    );
  });

  it('encrypts a text differently each time', () => {
    const keys = new SealingKeys([ONE]);
    const [first, second] = [keys.seal('the text', WHAT), keys.seal('the text', WHAT)];
    expect(first).not.toBe(second);
    expect(Buffer.from(first, 'base64').toString('latin1')).not.toContain('text');
  });

  it('encrypts with the first key, and decrypts with every key', () => {
    const [old, both, next] = [new SealingKeys([ONE]), new SealingKeys([OTHER, ONE]), new SealingKeys([OTHER])];
    expect(both.open(old.seal('x', WHAT), WHAT)).toBe('x');
    expect(next.open(both.seal('x', WHAT), WHAT)).toBe('x');
    expect(old.open(both.seal('x', WHAT), WHAT)).toBeUndefined();
  });

  it('returns one name for each key, which depends on the key and the content', () => {
    const [old, both, next] = [new SealingKeys([ONE]), new SealingKeys([OTHER, ONE]), new SealingKeys([OTHER])];
    expect(both.names(WHAT)).toEqual([...next.names(WHAT), ...old.names(WHAT)]);
    const others = [['revocation'], [WHAT.join()], [...WHAT, '']].map((one) => old.names(one)[0]);
    expect(new Set([old.names(WHAT)[0], next.names(WHAT)[0], ...others]).size).toBe(5);
  });

  it.each([
    ['another realm', ['revocation', 'https://keycloak.test/realms/other']],
    ['another kind of entry', ['session', 'https://keycloak.test/realms/test']],
    ['the same text, split into different parts', ['revocationhttps://keycloak.test/realms/test']],
    ['no purpose', []],
  ])('does not decrypt a text that was encrypted for a different purpose: %s', (_, what) => {
    const keys = new SealingKeys([ONE]);
    expect(keys.open(keys.seal('x', WHAT), what)).toBeUndefined();
  });

  it('recognizes a text that a newer version has encrypted', () => {
    const keys = new SealingKeys([ONE]);
    const sealed = Buffer.from(keys.seal('the text', WHAT), 'base64');
    expect(keys.isNewer(sealed.toString('base64'))).toBe(false);
    sealed[0] = 2;
    expect([keys.isNewer(sealed.toString('base64')), keys.open(sealed.toString('base64'), WHAT)]).toEqual([
      true,
      undefined,
    ]);
  });

  it.each(['', 'garbage 0.4711', `garbage ${'a'.repeat(90)}`, 'g'.repeat(60)])(
    'does not mistake an arbitrary text for a text of a newer version: "%s"',
    (text) => {
      expect(new SealingKeys([ONE]).isNewer(text)).toBe(false);
    },
  );

  it('returns undefined for an encrypted text that was changed, and for an arbitrary text', () => {
    const keys = new SealingKeys([ONE]);
    const sealed = Buffer.from(keys.seal('the text', WHAT), 'base64');
    fc.assert(
      fc.property(fc.nat(sealed.length * 8 - 1), (bit) => {
        const changed = Buffer.from(sealed);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(keys.open(changed.toString('base64'), WHAT)).toBeUndefined();
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => expect(keys.open(text, WHAT)).toBeUndefined()));
  });

  it.each<[string, unknown[]]>([
    ['an empty list of keys', []],
    ['a password', ['correct horse battery staple']],
    ['a short key', [randomBytes(16).toString('base64')]],
    ['a long key', [randomBytes(48).toString('base64')]],
    ['a key that repeats one byte', [Buffer.alloc(32, 7).toString('base64')]],
    ['a good key together with a bad key', [ONE, 'x']],
    ['a key that is not a text', [undefined]],
  ])('refuses %s with an error that contains no key', (_, keys) => {
    const make = (): SealingKeys => new SealingKeys(keys as string[]);
    expect(make).toThrow(/random keys of 32 bytes each, in base64/);
    expect(make).not.toThrow(new RegExp(`${ONE.slice(0, 8).replaceAll('+', '.')}|horse`));
  });
});

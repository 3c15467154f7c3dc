import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { faultOfKeys, publicJwks, signingCredential } from './signing-keys.js';

const pem = (key: KeyObject): string => String(key.export({ type: 'pkcs8', format: 'pem' }));

const KEYS: readonly (readonly [algorithm: string, key: KeyObject])[] = [
  ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
  ['ES384', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
  ['ES512', generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey],
  ['EdDSA', generateKeyPairSync('ed25519').privateKey],
];

describe('signing keys', () => {
  it.each(KEYS)(
    'for %s match their published public keys, whose ids are thumbprints (RFC 7638)',
    async (algorithm, key) => {
      const text = pem(key);
      expect(faultOfKeys(text)).toBeUndefined();
      const [jwk] = publicJwks(text).keys;
      expect(jwk).toMatchObject({ alg: algorithm, use: 'sig', kid: await calculateJwkThumbprint(jwk as JWK) });
      expect(JSON.stringify(publicJwks(text))).not.toMatch(/"d"|"p"|"q"/);
      const credential = await signingCredential(text);
      expect(credential).toMatchObject({ kind: 'private_key', algorithm, keyId: jwk?.kid });
      if (credential.kind !== 'private_key') throw new Error('Not a key');
      expect(credential.key.extractable).toBe(false);
    },
  );

  it('sign only with the first key of a file, but publish all keys', async () => {
    const [[, first], [, second]] = KEYS as [(typeof KEYS)[0], (typeof KEYS)[0]];
    const text = `${pem(first)}\n# the one before\n${pem(second)}`;
    const { keys } = publicJwks(text, 'the-first');
    expect(keys.map(({ kid }) => kid)).toEqual(['the-first', publicJwks(pem(second)).keys[0]?.kid]);
    expect(await signingCredential(text, 'the-first')).toMatchObject({ algorithm: 'RS256', keyId: 'the-first' });
  });

  it.each<[string, string]>([
    ['no text', ''],
    ['text that is not a key', 'the-secret-4711'],
    ['a public key', String(generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }))],
    ['a short RSA key', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)],
    ['a key that can not sign', pem(generateKeyPairSync('x25519').privateKey)],
    ['an unsupported curve', pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey)],
    [
      'an encrypted key',
      String(
        generateKeyPairSync('ed25519').privateKey.export({
          type: 'pkcs8',
          format: 'pem',
          cipher: 'aes-256-cbc',
          passphrase: 'the-secret-4711',
        }),
      ),
    ],
  ])('are rejected if the file holds %s', (_, text) => {
    expect(faultOfKeys(text)).toMatch(/must contain unencrypted private keys in PEM/);
    expect(faultOfKeys(text)).not.toMatch(/4711/);
    expect(() => publicJwks(text)).toThrow(/./);
  });
});

/** KeySet: the usable keys, and the refusal of a faulty set (RFC 7517, RS-15, RS-17). */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ecSigner, edSigner, rsaSigner } from '../../../spec-support/signers.js';
import { AuthorizationServerError } from '../ports/published-keys.js';
import { KeySet } from './key-set.js';

const rsa = rsaSigner();
const ec = ecSigner();
const privateJwk = { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'leaked', alg: 'RS256', use: 'sig' };
const secret = { kty: 'oct', k: 'c2VjcmV0', kid: 'secret', alg: 'HS256', use: 'sig' };
const short = { ...rsaSigner('RS256', 1024).jwk, kid: 'short' };
const encryption = { ...rsaSigner().jwk, kid: 'enc', use: 'enc', alg: 'RSA-OAEP' };

function found(set: KeySet, keyId: string, algorithm = 'RS256'): string | undefined {
  try {
    return set.find(keyId, algorithm)?.keyId;
  } catch (error) {
    if (error instanceof AuthorizationServerError)
      return `${error.code}: ${error.reason} ${String(error.fields['fault'])}`;
    throw error;
  }
}

const UNUSABLE = 'authorization_server_refused: signing_key_unusable';

describe('KeySet', () => {
  it('finds the signing keys by id and algorithm', () => {
    const set = KeySet.of({ keys: [rsa.jwk, ec.jwk, encryption] });
    expect(set.keys.map(({ keyId }) => keyId)).toEqual([rsa.jwk.kid, ec.jwk.kid]);
    expect(found(set, rsa.jwk.kid)).toBe(rsa.jwk.kid);
    expect(found(set, rsa.jwk.kid, 'PS256')).toBeUndefined();
    expect(found(set, rsa.jwk.kid, 'ES256')).toBeUndefined();
    expect(found(set, ec.jwk.kid, 'ES256')).toBe(ec.jwk.kid);
    expect(['enc', rsa.jwk.kid, 'nobody'].map((keyId) => set.has(keyId))).toEqual([true, true, false]);
    expect(found(set, 'enc')).toBeUndefined();
  });

  it('uses a key without alg for every algorithm of the key type, and for no other algorithm', () => {
    const { alg: _, use: __, ...jwk } = rsa.jwk;
    const set = KeySet.of({ keys: [jwk] });
    expect(
      ['RS256', 'RS512', 'PS384', 'ES256', 'EdDSA', 'HS256', 'none'].map((alg) => found(set, rsa.jwk.kid, alg)),
    ).toEqual([rsa.jwk.kid, rsa.jwk.kid, rsa.jwk.kid, undefined, undefined, undefined, undefined]);
  });

  it.each<[string, readonly object[], string]>([
    ['a private key', [privateJwk], `${UNUSABLE} private_key`],
    ['a secret', [secret], `${UNUSABLE} symmetric_key`],
    ['an RSA key of 1024 bits', [short], `${UNUSABLE} rsa_key_too_short`],
    ['an RSA key whose modulus is zero', [{ ...rsa.jwk, n: 'AAAA' }], `${UNUSABLE} malformed`],
    ['an RSA key without modulus', [{ ...rsa.jwk, n: undefined }], `${UNUSABLE} malformed`],
    [
      'an RSA key of 20000 bits',
      [{ ...rsa.jwk, n: Buffer.alloc(2500, 255).toString('base64url') }],
      `${UNUSABLE} rsa_key_too_long`,
    ],
    [
      'two keys with the same id and algorithm',
      [rsa.jwk, { ...rsaSigner().jwk, kid: rsa.jwk.kid }],
      `${UNUSABLE} ambiguous`,
    ],
    [
      'a good key with the id of a private key',
      [rsa.jwk, { ...privateJwk, kid: rsa.jwk.kid }],
      `${UNUSABLE} private_key`,
    ],
  ])('verifies no token with %s, and reports a fault of the server', (_, published, outcome) => {
    const set = KeySet.of({ keys: [...published, ec.jwk] });
    const { kid } = published[0] as { readonly kid: string };
    expect(found(set, kid)).toBe(outcome);
    expect(found(set, ec.jwk.kid, 'ES256')).toBe(ec.jwk.kid);
    expect(set.faultyKeys).toEqual([{ keyId: kid, fault: outcome.split(' ').at(-1) }]);
    expect(JSON.stringify([set.keys, set.faultyKeys])).not.toContain(privateJwk.d);
  });

  it('distinguishes two keys with the same id by algorithm, and accepts a repeated key', () => {
    const twin = { ...ecSigner().jwk, kid: rsa.jwk.kid };
    const set = KeySet.of({ keys: [rsa.jwk, twin, rsa.jwk] });
    expect([found(set, rsa.jwk.kid), found(set, rsa.jwk.kid, 'ES256')]).toEqual([rsa.jwk.kid, rsa.jwk.kid]);
    expect(set.faultyKeys).toEqual([]);
  });

  it('skips keys that have no id and keys of unknown types', () => {
    const { kid: _, ...nameless } = ecSigner().jwk;
    const ed448 = { ...generateKeyPairSync('ed448').publicKey.export({ format: 'jwk' }), kid: 'ed448' };
    const koblitz = {
      ...generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'jwk' }),
      kid: 'k1',
    };
    const set = KeySet.of({ keys: [nameless, ed448, koblitz, { kty: 'new', kid: 'n' }, { kid: 'k' }, {}, rsa.jwk] });
    expect(set.keys.map(({ keyId }) => keyId)).toEqual([rsa.jwk.kid]);
    expect(['ed448', 'k1', 'n', 'k'].map((keyId) => found(set, keyId, 'ES256'))).toEqual(Array.from({ length: 4 }));
  });

  it('verifies no token with a key whose point is not on the curve', async () => {
    const set = KeySet.of({ keys: [{ ...ec.jwk, x: ec.jwk.y, y: ec.jwk.x }] });
    await expect(set.find(ec.jwk.kid, 'ES256')?.toVerify('ES256')).rejects.toMatchObject({
      reason: 'signing_key_unusable',
    });
  });

  it.each<[string, unknown]>([
    ['a missing key set', undefined],
    ['null', null],
    ['a list', [rsa.jwk]],
    ['a key set that has no member keys', {}],
    ['keys that are a text', { keys: 'all' }],
    ['an empty key set', { keys: [] }],
    ['a key that is not an object', { keys: [rsa.jwk, 'x'] }],
    ['a key set that has only keys for encryption', { keys: [encryption] }],
    ['more keys than any realm has', { keys: Array.from({ length: 101 }, () => rsa.jwk) }],
  ])('rejects %s', (_, given) => {
    expect(() => KeySet.of(given)).toThrow(
      expect.objectContaining({ code: 'authorization_server_unavailable', reason: 'signing_keys_malformed' }),
    );
  });

  it('reuses the objects of keys that are still published, and marks all other keys as withdrawn', () => {
    const former = KeySet.of({ keys: [rsa.jwk, ec.jwk] });
    const ed = edSigner();
    const next = KeySet.of({ keys: [ed.jwk, { ...rsa.jwk }] }, former);
    expect(next.find(rsa.jwk.kid, 'RS256')).toBe(former.find(rsa.jwk.kid, 'RS256'));
    expect(former.withdrawAllBut(next).map(({ keyId }) => keyId)).toEqual([ec.jwk.kid]);
    expect(former.keys.map(({ isPublished }) => isPublished)).toEqual([true, false]);
    const replaced = KeySet.of({ keys: [{ ...rsaSigner().jwk, kid: rsa.jwk.kid }] }, next);
    expect(next.withdrawAllBut(replaced).map(({ keyId }) => keyId)).toEqual([ed.jwk.kid, rsa.jwk.kid]);
  });
});

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openssl } from '../../libs/keycloak/spec-support/valkey.js';
import { ManifestFolder } from '../support/manifests.js';

const PEM = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----\n/g;

(openssl === undefined ? describe.skip : describe)('make-secrets.sh', () => {
  let folder: ManifestFolder;
  beforeAll(() => {
    folder = new ManifestFolder();
  });
  afterAll(() => folder.remove());

  it('adds the public key of a new private key, and keeps the former public key (RS-30)', () => {
    const before = folder.newProofKey();
    const after = folder.newProofKey();
    const publicKey = createPublicKey(createPrivateKey(after.privateKey) as never).export({
      type: 'spki',
      format: 'pem',
    });
    expect(after.publicKeys).toBe(`${before.publicKeys}${String(publicKey)}`);
    expect(after.publicKeys.match(PEM)?.join('')).toBe(after.publicKeys);
  });
});

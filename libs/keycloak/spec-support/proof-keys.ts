import { generateKeyPairSync } from 'node:crypto';

export interface ProofKeyPair {
  readonly privateKey: string;
  readonly publicKeys: string;
}

export function proofKeyPair(): ProofKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return { privateKey, publicKeys: publicKey };
}

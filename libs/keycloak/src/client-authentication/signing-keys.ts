import { createHash, createPrivateKey, createPublicKey, webcrypto, type KeyObject } from 'node:crypto';
import type { ClientCredential } from './client-authentication.js';

type JsonWebKey = webcrypto.JsonWebKey;

/** A JWK Set of public keys (RFC 7517 §5). */
export interface PublicJwks {
  readonly keys: readonly (JsonWebKey & { readonly kid: string; readonly alg: string; readonly use: 'sig' })[];
}

interface Algorithm {
  /** The value of `alg` (RFC 7518 §3.1, RFC 8037 §3.1). */
  readonly name: string;
  readonly toImport: webcrypto.RsaHashedImportParams | webcrypto.EcKeyImportParams | { readonly name: string };
}

const MIN_RSA_BITS = 2048;

const PEM = /-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g;

export function faultOfKeys(text: string): string | undefined {
  try {
    for (const key of keysOf(text)) algorithmOf(key);
    return undefined;
  } catch {
    return `the file must contain unencrypted private keys in PEM: RSA of at least ${MIN_RSA_BITS} bits, EC P-256, P-384 or P-521, or Ed25519`;
  }
}

export async function signingCredential(text: string, keyId?: string): Promise<ClientCredential> {
  const [first] = keysOf(text) as [KeyObject];
  const { name, toImport } = algorithmOf(first);
  const bytes = first.export({ type: 'pkcs8', format: 'der' });
  const key = await webcrypto.subtle.importKey('pkcs8', new Uint8Array(bytes), toImport, false, ['sign']);
  return { kind: 'private_key', key, algorithm: name, keyId: keyId ?? thumbprint(publicKeyOf(first)) };
}

export function publicJwks(text: string, keyId?: string): PublicJwks {
  return {
    keys: keysOf(text).map((key, at) => {
      const jwk = publicKeyOf(key);
      const kid = (at === 0 ? keyId : undefined) ?? thumbprint(jwk);
      return { ...jwk, kid, alg: algorithmOf(key).name, use: 'sig' };
    }),
  };
}

function keysOf(text: string): KeyObject[] {
  const keys = [...text.matchAll(PEM)].map(([pem]) => createPrivateKey(pem));
  if (keys.length === 0) throw new TypeError('No private key in PEM');
  return keys;
}

const publicKeyOf = (key: KeyObject): JsonWebKey => createPublicKey(key).export({ format: 'jwk' });

function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): Algorithm {
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS) {
    return { name: 'RS256', toImport: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } };
  }
  if (type === 'ed25519') return { name: 'EdDSA', toImport: { name: 'Ed25519' } };
  const curve = type === 'ec' ? EC_CURVES[details?.namedCurve ?? ''] : undefined;
  if (curve === undefined) throw new TypeError('A key of another kind');
  return { name: curve.algorithm, toImport: { name: 'ECDSA', namedCurve: curve.name } };
}

const EC_CURVES: Readonly<Record<string, { readonly name: string; readonly algorithm: string }>> = {
  prime256v1: { name: 'P-256', algorithm: 'ES256' },
  secp384r1: { name: 'P-384', algorithm: 'ES384' },
  secp521r1: { name: 'P-521', algorithm: 'ES512' },
};

/** The hash covers the required members of the key type in alphabetical order (RFC 7638 §3). */
function thumbprint({ crv, e, kty, n, x, y }: JsonWebKey): string {
  return createHash('sha256').update(JSON.stringify({ crv, e, kty, n, x, y })).digest('base64url');
}

import {
  createHmac,
  generateKeyPairSync,
  randomUUID,
  sign,
  type JsonWebKey,
  type KeyObject,
  type SignKeyObjectInput,
} from 'node:crypto';

export type Json = Readonly<Record<string, unknown>>;

export const encoded = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

export interface Signer {
  readonly jwk: JsonWebKey & { readonly kid: string };
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  sign(claims: Json | string, header?: Json): string;
  signText(text: string): Buffer;
}

type Pair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject };

function signerOf(
  alg: string,
  { privateKey, publicKey }: Pair,
  digest: string | null,
  how: Omit<SignKeyObjectInput, 'key'> = {},
): Signer {
  const kid = randomUUID();
  const signText = (text: string): Buffer => sign(digest, Buffer.from(text), { key: privateKey, ...how });
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
    privateKey,
    publicKey,
    signText,
    sign(claims, header = {}) {
      const text = `${encoded({ alg, typ: 'JWT', kid, ...header })}.${encoded(claims)}`;
      return `${text}.${signText(text).toString('base64url')}`;
    },
  };
}

export const rsaSigner = (alg = 'RS256', modulusLength = 2048): Signer =>
  signerOf(
    alg,
    generateKeyPairSync('rsa', { modulusLength }),
    `sha${alg.slice(2)}`,
    alg.startsWith('PS') ? { padding: 6, saltLength: Number(alg.slice(2)) / 8 } : {},
  );

export const ecSigner = (alg = 'ES256', namedCurve = 'P-256'): Signer =>
  signerOf(alg, generateKeyPairSync('ec', { namedCurve }), `sha${alg.slice(2)}`, { dsaEncoding: 'ieee-p1363' });

export const edSigner = (alg = 'EdDSA'): Signer => signerOf(alg, generateKeyPairSync('ed25519'), null);

/** For an algorithm confusion attack, pass a public key as `secret`. */
export function hmacSigned(alg: string, secret: string | Buffer, claims: Json, header: Json = {}): string {
  const text = `${encoded({ alg, typ: 'JWT', ...header })}.${encoded(claims)}`;
  return `${text}.${createHmac(`sha${alg.slice(2)}`, secret)
    .update(text)
    .digest('base64url')}`;
}

/** Replaces the P-256 signature (r, s) by (r, n - s), which is also valid for the same text. */
export function otherForm(token: string): string {
  const [header, payload, signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const s = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
  return `${header}.${payload}.${other.toString('base64url')}`;
}

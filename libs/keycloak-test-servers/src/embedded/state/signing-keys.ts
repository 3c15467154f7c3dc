/** The server signs tokens for clients and services with RS256, and tokens for itself with HS512. */
import { randomBytes } from 'node:crypto';
import {
  calculateJwkThumbprint,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  jwtVerify,
  SignJWT,
  type CryptoKey,
  type JWK,
} from 'jose';
import { toRecord } from '../realm/realm-representation.js';

export type Claims = Readonly<Record<string, unknown>>;

export interface SigningKeys {
  readonly jwks: { readonly keys: readonly JWK[] };
  readonly publicKey: string;
  sign(claims: Claims, headerTyp: string): Promise<string>;
  rotate(): Promise<void>;
  signWithOtherKey(claims: Claims, headerTyp: string): Promise<string>;
  signForSelf(claims: Claims): Promise<string>;
  read(token: string): Promise<Claims | undefined>;
}

const NEVER_EXPIRED = { currentDate: new Date(0) };

interface KeyPair {
  readonly kid: string;
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
  readonly spki: string;
}

async function makeKeyPair(): Promise<KeyPair> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const pem = await exportSPKI(publicKey);
  return {
    kid,
    publicKey,
    privateKey,
    jwk: { kid, kty: 'RSA', alg: 'RS256', use: 'sig', ...jwk },
    spki: pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''),
  };
}

export async function makeSigningKeys(): Promise<SigningKeys> {
  const own = randomBytes(64);
  let newest = await makeKeyPair();
  const pairs = [newest];
  const signWith = (key: CryptoKey, claims: Claims, typ: string): Promise<string> =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', typ, kid: newest.kid }).sign(key);
  return {
    get jwks() {
      return { keys: pairs.map(({ jwk }) => jwk) };
    },
    get publicKey() {
      return newest.spki;
    },
    async rotate() {
      newest = await makeKeyPair();
      pairs.unshift(newest);
    },
    sign: (claims, typ) => signWith(newest.privateKey, claims, typ),
    async signWithOtherKey(claims, typ) {
      const other = await generateKeyPair('RS256');
      return signWith(other.privateKey, claims, typ);
    },
    signForSelf: (claims) => new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS512', typ: 'JWT' }).sign(own),
    async read(text) {
      const token = canonicalForm(text);
      if (token === undefined) return undefined;
      const answers = await Promise.allSettled([
        ...pairs.map(({ publicKey }) => jwtVerify(token, publicKey, { ...NEVER_EXPIRED, algorithms: ['RS256'] })),
        jwtVerify(token, own, { ...NEVER_EXPIRED, algorithms: ['HS512'] }),
      ]);
      const verified = answers.find((answer) => answer.status === 'fulfilled');
      return verified === undefined ? undefined : toRecord(verified.value.payload);
    },
  };
}

/** As in Keycloak, trailing dots, padding and other encodings of the signature are accepted. */
function canonicalForm(text: string): string | undefined {
  const parts = text.split('.');
  const [header, payload, signature = ''] = parts;
  if (parts.slice(3).some((part) => part !== '') || !/^[\w+/-]+=*$/.test(signature)) return undefined;
  return `${header}.${payload}.${Buffer.from(signature, 'base64url').toString('base64url')}`;
}

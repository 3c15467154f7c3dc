import { generateKeyPairSync, randomBytes, sign, type KeyObject, type SignKeyObjectInput } from 'node:crypto';

interface Kind {
  readonly algorithm: string;
  readonly digest: string | null;
  readonly generate: () => { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  readonly how?: Omit<SignKeyObjectInput, 'key'>;
}

const ec = (algorithm: string, namedCurve: string, digest: string): Kind => ({
  algorithm,
  digest,
  generate: () => generateKeyPairSync('ec', { namedCurve }),
  how: { dsaEncoding: 'ieee-p1363' },
});
const ed25519 = (algorithm: string): Kind => ({
  algorithm,
  digest: null,
  generate: () => generateKeyPairSync('ed25519'),
});
const rsa = (algorithm: string, how?: Kind['how']): Kind => ({
  algorithm,
  digest: `sha${algorithm.slice(2)}`,
  generate: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ...(how && { how }),
});
const pss = (algorithm: string): Kind =>
  rsa(algorithm, { padding: PSS_PADDING, saltLength: Number(algorithm.slice(2)) / 8 });

const PSS_PADDING = 6;

/** The kinds of keys are sorted by the time to generate a key, with the fastest kind first. */
const KINDS: readonly Kind[] = [
  ec('ES256', 'P-256', 'sha256'),
  ec('ES384', 'P-384', 'sha384'),
  ec('ES512', 'P-521', 'sha512'),
  ed25519('EdDSA'),
  ed25519('Ed25519'),
  rsa('RS256'),
  rsa('RS384'),
  rsa('RS512'),
  pss('PS256'),
  pss('PS384'),
  pss('PS512'),
];

export class TestSigningKey {
  readonly #kind: Kind;
  readonly #keyId = randomBytes(9).toString('base64url');
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;

  constructor(
    algorithms: readonly string[],
    private readonly typ = 'JWT',
  ) {
    const kind = KINDS.find(({ algorithm }) => algorithms.includes(algorithm));
    if (kind === undefined) throw new TypeError(`No key can be generated for any of ${algorithms.join(', ')}`);
    this.#kind = kind;
    ({ privateKey: this.#privateKey, publicKey: this.#publicKey } = kind.generate());
  }

  /** Returns a different text each time, since a server never issues the same token twice. */
  sign(claims: Readonly<Record<string, unknown>>): string {
    const { algorithm: alg, digest, how } = this.#kind;
    const header = { alg, typ: this.typ, kid: this.#keyId, random: randomBytes(9).toString('base64url') };
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const signature = sign(digest, Buffer.from(text), { key: this.#privateKey, ...how });
    return `${text}.${signature.toString('base64url')}`;
  }

  /** The JWK Set with the public key (RFC 7517 §5). */
  get keySet(): object {
    const jwk = this.#publicKey.export({ format: 'jwk' });
    return { keys: [{ ...jwk, kid: this.#keyId, alg: this.#kind.algorithm, use: 'sig' }] };
  }
}

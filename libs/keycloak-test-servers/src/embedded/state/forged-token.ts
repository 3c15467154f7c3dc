import type { Claims, SigningKeys } from './signing-keys.js';

export interface TokenOverrides {
  /** Claims that replace or extend the correct claims. The value `undefined` removes a claim. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The `typ` in the header (default: the correct type). */
  readonly headerTyp?: string;
  /**
   * The key that signs the token (default: `server`). `otherKey` is another RSA key with the server's `kid`, and `none`
   * means unsigned (RFC 7519 §6).
   */
  readonly signedBy?: 'server' | 'otherKey' | 'none';
}

export function signWithOverrides(
  keys: SigningKeys,
  correct: Claims,
  typ: string,
  { claims = {}, headerTyp = typ, signedBy = 'server' }: TokenOverrides,
): Promise<string> {
  const all = { ...correct, ...claims };
  if (signedBy === 'none') return Promise.resolve(unsigned(all, headerTyp));
  return signedBy === 'server' ? keys.sign(all, headerTyp) : keys.signWithOtherKey(all, headerTyp);
}

const unsigned = (claims: object, typ: string): string =>
  `${[{ alg: 'none', typ }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;

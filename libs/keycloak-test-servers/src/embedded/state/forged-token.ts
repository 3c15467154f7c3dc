import type { Claims, SigningKeys } from './signing-keys.js';

export interface TokenOverrides {
  /** Replace the correct claims, or add to them; `undefined` removes a claim. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** `typ` of the header (default: the correct type). */
  readonly headerTyp?: string;
  /**
   * `otherKey` is another RSA key with the server's `kid`; `none` sets `alg` to `none` without a signature (default:
   * `server`).
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

/** RFC 7519 §6. */
const unsigned = (claims: object, typ: string): string =>
  `${[{ alg: 'none', typ }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;

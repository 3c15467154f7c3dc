interface KeyKind {
  readonly kty: 'RSA' | 'EC' | 'OKP';
  readonly crv?: string;
}

const RSA: KeyKind = { kty: 'RSA' };
const ED25519: KeyKind = { kty: 'OKP', crv: 'Ed25519' };

/**
 * The accepted algorithms (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). All accepted algorithms are asymmetric,
 * because a verifier with a shared secret could also sign tokens.
 */
const KEY_KINDS: ReadonlyMap<string, KeyKind> = new Map([
  ['RS256', RSA],
  ['RS384', RSA],
  ['RS512', RSA],
  ['PS256', RSA],
  ['PS384', RSA],
  ['PS512', RSA],
  ['ES256', { kty: 'EC', crv: 'P-256' }],
  ['ES384', { kty: 'EC', crv: 'P-384' }],
  ['ES512', { kty: 'EC', crv: 'P-521' }],
  ['EdDSA', ED25519],
  ['Ed25519', ED25519],
]);

export const SIGNING_ALGORITHMS: readonly string[] = [...KEY_KINDS.keys()];

export function isKeyFor(algorithm: string, { kty, crv }: { readonly kty?: unknown; readonly crv?: unknown }): boolean {
  const kind = KEY_KINDS.get(algorithm);
  return kind !== undefined && kind.kty === kty && (kind.crv === undefined || kind.crv === crv);
}

export const isKeyForAny = (jwk: { readonly kty?: unknown; readonly crv?: unknown }): boolean =>
  SIGNING_ALGORITHMS.some((algorithm) => isKeyFor(algorithm, jwk));

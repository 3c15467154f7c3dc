import { importJWK, type CryptoKey, type JWK } from 'jose';
import { AuthorizationServerError } from '../ports/published-keys.js';
import { isKeyFor, isKeyForAny, SIGNING_ALGORITHMS } from './signing-algorithms.js';

/** The minimum size of an RSA key (RFC 7518 §3.3). */
const MIN_RSA_BITS = 2048;
/** The maximum size of an RSA key, because a verification with a longer key takes too long. */
const MAX_RSA_BITS = 16_384;

const PUBLIC_MEMBERS = ['kty', 'crv', 'n', 'e', 'x', 'y'] as const;

/** Members of a private or symmetric key (RFC 7518 §6). */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const;

/** `ambiguous` means that two different keys with one id fit the same algorithm. */
export type KeyFault =
  'private_key' | 'symmetric_key' | 'rsa_key_too_short' | 'rsa_key_too_long' | 'malformed' | 'ambiguous';

type Members = Readonly<Record<string, unknown>>;

export class PublishedKey {
  isPublished = true;
  readonly identity: string;
  readonly #jwk: JWK;
  readonly #imported = new Map<string, Promise<CryptoKey>>();

  private constructor(
    readonly keyId: string,
    readonly algorithm: string | undefined,
    members: Members,
  ) {
    const names = PUBLIC_MEMBERS.filter((name) => name in members);
    this.#jwk = Object.fromEntries(names.map((name) => [name, members[name]])) as JWK;
    this.identity = JSON.stringify([keyId, algorithm, this.#jwk]);
  }

  static of(members: Members): PublishedKey | KeyFault | undefined {
    const { kid, kty, use, key_ops: operations, alg } = members;
    if (typeof kid !== 'string' || kid === '') return undefined;
    if (use !== undefined && use !== 'sig') return undefined;
    if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return undefined;
    if (kty === 'oct') return 'symmetric_key';
    if (SECRET_MEMBERS.some((name) => name in members)) return 'private_key';
    if (!isKeyForAny(members) || (alg !== undefined && typeof alg !== 'string')) return undefined;
    return (kty === 'RSA' ? faultOfRsa(members) : undefined) ?? new PublishedKey(kid, alg, members);
  }

  isFor(algorithm: string): boolean {
    return isKeyFor(algorithm, this.#jwk) && (this.algorithm === undefined || this.algorithm === algorithm);
  }

  isLike(other: PublishedKey): boolean {
    const isForBoth = (algorithm: string): boolean => this.isFor(algorithm) && other.isFor(algorithm);
    return this.identity !== other.identity && SIGNING_ALGORITHMS.some(isForBoth);
  }

  toVerify(algorithm: string): Promise<CryptoKey> {
    const imported = this.#imported.get(algorithm) ?? this.#import(algorithm);
    this.#imported.set(algorithm, imported);
    return imported;
  }

  async #import(algorithm: string): Promise<CryptoKey> {
    const key = await importJWK(this.#jwk, algorithm).catch(() => undefined);
    if (key === undefined || key instanceof Uint8Array) throw unusable(this.keyId, 'malformed');
    return key;
  }
}

/** The authorization server published the key, so the token's sender is not at fault. */
export function unusable(keyId: string, fault: KeyFault): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_refused', {
    reason: 'signing_key_unusable',
    fields: { keyId: shownKeyId(keyId), fault },
  });
}

/** Masks a key id that is unsafe in logs: key ids are public, but may contain any text. */
export const shownKeyId = (keyId: string): string => (/^[\w.:-]{1,100}$/.test(keyId) ? keyId : '***');

function faultOfRsa({ n }: Members): KeyFault | undefined {
  const modulus = typeof n === 'string' ? Buffer.from(n, 'base64url') : Buffer.alloc(0);
  const first = modulus.findIndex((byte) => byte !== 0);
  if (first === -1) return 'malformed';
  const bits = (modulus.length - first) * 8 - (Math.clz32(modulus[first] ?? 0) - 24);
  if (bits < MIN_RSA_BITS) return 'rsa_key_too_short';
  return bits > MAX_RSA_BITS ? 'rsa_key_too_long' : undefined;
}

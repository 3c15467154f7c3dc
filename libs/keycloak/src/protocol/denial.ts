import type { VerifiedAccessToken } from './verified-access-token.js';

/**
 * The tokens that are denied from now on.
 *
 * - `sid`: every token of a user's session, regardless of the issue time (OpenID Connect Back-Channel Logout 1.0 §2.4).
 *   With `exceptOffline`, tokens of the offline session are introspected instead of denied. A logout does not end an
 *   offline session (§2.7).
 * - `sub`, `issuedBefore`: tokens of a user or service account, if `iat` is missing or before `issuedBefore` (epoch
 *   seconds).
 * - `tokenHash`, `jti`: one token. `tokenHash` is `VerifiedAccessToken.hash` (SHA-256 in hex), and `jti` is the claim
 *   (RFC 7519 §4.1.7). Omit `jti` only if the claim is unknown: an ECDSA signature has two valid forms, which give one
 *   token two hashes.
 *
 * `issuer` may be omitted if the module has a single issuer. A denial contains no token and survives `JSON.stringify`.
 */
export type Denial = { readonly issuer?: string } & (
  | { readonly sid: string; readonly exceptOffline?: true }
  | { readonly sub: string; readonly issuedBefore: number }
  | { readonly tokenHash: string; readonly jti?: string }
);

/** The denial covers every signature form and spelling of the token. */
export function denialOf({ hash, issuer, claims }: VerifiedAccessToken): Denial {
  return { issuer, tokenHash: hash, ...(claims.jti === undefined ? {} : { jti: claims.jti }) };
}

export interface ReadDenial {
  readonly kind: 'session' | 'onlineSession' | 'subject' | 'token' | 'tokenId';
  readonly key: string;
  readonly issuedBefore: number;
}

const MAX_LENGTH = 1024;

/** The limit for a time in epoch seconds, so that a time in milliseconds is rejected. */
const MAX_EPOCH_SECONDS = 1e11;

/** @throws {TypeError} If `denial` is not exactly one `Denial`; the message contains no values. */
export function readDenial(denial: unknown): readonly ReadDenial[] {
  const { issuer: _, ...members }: Readonly<Record<string, unknown>> =
    typeof denial === 'object' && denial !== null && !Array.isArray(denial) ? { ...denial } : {};
  switch (Object.keys(members).toSorted().join(' ')) {
    case 'sid':
      return [{ kind: 'session', key: identifier('sid', members['sid']), issuedBefore: Infinity }];
    case 'exceptOffline sid':
      if (members['exceptOffline'] !== true) throw new TypeError('The exceptOffline of a denial must be true');
      return [{ kind: 'onlineSession', key: identifier('sid', members['sid']), issuedBefore: Infinity }];
    case 'issuedBefore sub':
      return [
        {
          kind: 'subject',
          key: identifier('sub', members['sub']),
          issuedBefore: epochSeconds(members['issuedBefore']),
        },
      ];
    case 'tokenHash':
      return [{ kind: 'token', key: sha256(members['tokenHash']), issuedBefore: Infinity }];
    case 'jti tokenHash':
      return [
        { kind: 'token', key: sha256(members['tokenHash']), issuedBefore: Infinity },
        { kind: 'tokenId', key: identifier('jti', members['jti']), issuedBefore: Infinity },
      ];
    default:
      throw new TypeError(
        'A denial must be { sid }, { sid, exceptOffline }, { sub, issuedBefore } or { tokenHash, jti }, with its issuer and nothing else',
      );
  }
}

function identifier(name: string, value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= MAX_LENGTH) return value;
  throw new TypeError(`The ${name} of a denial must be a string of 1 to ${MAX_LENGTH} characters`);
}

function epochSeconds(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value < MAX_EPOCH_SECONDS) return value;
  throw new TypeError('The issuedBefore of a denial must be seconds since the epoch');
}

function sha256(value: unknown): string {
  if (typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value)) return value.toLowerCase();
  throw new TypeError('The tokenHash of a denial must be a SHA-256 in hex');
}

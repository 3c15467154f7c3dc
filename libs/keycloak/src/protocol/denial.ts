/** Denial: what is to be refused from now on, as one plain JSON object. */
import type { VerifiedAccessToken } from './verified-access-token.js';

/**
 * - `sid`: every token of a user's session, whenever it was issued (OpenID Connect Back-Channel Logout 1.0 §2.4). With `exceptOffline`, not those of the offline
 *   session of the same id, which a logout does not end (§2.7): the authorization server is asked about them. Keycloak says in the `jti` which those are.
 * - `sub`, `issuedBefore`: the tokens of a user or service account whose `iat` is earlier than that, in seconds since the
 *   epoch, and those that have no `iat`.
 * - `tokenHash`, `jti`: one token, by its SHA-256 in hex (`VerifiedAccessToken.hash`) or its `jti` (RFC 7519 §4.1.7), whichever
 *   is met; `denialOf(token)` makes it. By the hash alone a token signed by ECDSA still passes with the other of the two forms
 *   that each such signature has, (r, n - s): leave `jti` out only where it is not known.
 *
 * `issuer` says of which issuer's tokens that is meant: names and ids of one are nobody's at another. Without it, of the one that the module has.
 *
 * It holds no token and survives `JSON.stringify`, so that a channel between services can carry it.
 */
export type Denial = { readonly issuer?: string } & (
  | { readonly sid: string; readonly exceptOffline?: true }
  | { readonly sub: string; readonly issuedBefore: number }
  | { readonly tokenHash: string; readonly jti?: string }
);

/** The denial of one token: this one, however it is signed or spelled, and no other of its session or subject. */
export function denialOf({ hash, issuer, claims }: VerifiedAccessToken): Denial {
  return { issuer, tokenHash: hash, ...(claims.jti === undefined ? {} : { jti: claims.jti }) };
}

/** A denial that was read: what it is about, and before which `iat` (seconds since the epoch). */
export interface ReadDenial {
  readonly kind: 'session' | 'onlineSession' | 'subject' | 'token' | 'tokenId';
  readonly key: string;
  readonly issuedBefore: number;
}

/** So that a list which is bounded in number is bounded in size. */
const MAX_LENGTH = 1024;

/** Times in milliseconds are larger; as seconds, this is in the year 5138. */
const MAX_EPOCH_SECONDS = 1e11;

/**
 * Under what it is to be held at its issuer: two things for a token with its `jti`. Throws `TypeError` for all that is not exactly one
 * `Denial`; the message names no value.
 */
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
        'A denial is { sid }, { sid, exceptOffline }, { sub, issuedBefore } or { tokenHash, jti }, with its issuer, and nothing besides',
      );
  }
}

function identifier(name: string, value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= MAX_LENGTH) return value;
  throw new TypeError(`The ${name} of a denial must be a text of 1 to ${MAX_LENGTH} characters`);
}

function epochSeconds(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value < MAX_EPOCH_SECONDS) return value;
  throw new TypeError('The issuedBefore of a denial must be seconds since the epoch');
}

function sha256(value: unknown): string {
  if (typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value)) return value.toLowerCase();
  throw new TypeError('The tokenHash of a denial must be a SHA-256 in hex');
}

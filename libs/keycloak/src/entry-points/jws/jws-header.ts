/** JWS header: what the header of a compact JWS says of how it is signed (RFC 7515 §4.1), as far as any of that is listened to. */
import { jsonObjectOf } from './json-object.js';

export interface JwsHeader {
  readonly algorithm: string;
  readonly keyId: string;
}

/** Why a header is refused, each of them for whoever sent the token. */
export interface RefusedHeader {
  readonly reason:
    'token_malformed' | 'algorithm_not_allowed' | 'critical_header_unknown' | 'other_type' | 'signing_key_unknown';
  /** As it stands there, which may be anything. */
  readonly alg?: unknown;
}

/**
 * Of everything that a sender can write there, `alg` and `kid` are used to choose among what is known here. Where to find a key, or the key itself (`jku`, `x5u`, `jwk`, `x5c`),
 * is for nobody to say but the issuer, and is not looked at. `isType`: whether a `typ` is that of the tokens which are taken.
 */
export function readJwsHeader(
  token: string,
  algorithms: ReadonlySet<string>,
  isType: (typ: unknown) => boolean,
): JwsHeader | RefusedHeader {
  const header = jsonObjectOf(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url'));
  if (header === undefined) return { reason: 'token_malformed' };
  const { alg, kid, typ, ...others } = header;
  if (typeof alg !== 'string' || !algorithms.has(alg)) return { reason: 'algorithm_not_allowed', alg };
  // No extension is understood here (§4.1.11); and one that says how to read the payload may not be used by JWTs at all (RFC 7797 §7).
  if ('crit' in others || 'b64' in others) return { reason: 'critical_header_unknown' };
  if (!isType(typ)) return { reason: 'other_type' };
  if (typeof kid !== 'string' || kid === '') return { reason: 'signing_key_unknown' };
  return { algorithm: alg, keyId: kid };
}

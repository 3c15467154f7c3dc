import { jsonObjectOf } from './json-object.js';

export interface JwsHeader {
  readonly algorithm: string;
  readonly keyId: string;
}

export interface RefusedHeader {
  readonly reason:
    'token_malformed' | 'algorithm_not_allowed' | 'critical_header_unknown' | 'other_type' | 'signing_key_unknown';
  readonly alg?: unknown;
}

/** Ignores keys and key addresses in the header (`jku`, `x5u`, `jwk`, `x5c`): only the issuer may name keys. */
export function readJwsHeader(
  token: string,
  algorithms: ReadonlySet<string>,
  isType: (typ: unknown) => boolean,
): JwsHeader | RefusedHeader {
  const header = jsonObjectOf(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url'));
  if (header === undefined) return { reason: 'token_malformed' };
  const { alg, kid, typ, ...others } = header;
  if (typeof alg !== 'string' || !algorithms.has(alg)) return { reason: 'algorithm_not_allowed', alg };
  // This library supports no extension (RFC 7515 §4.1.11), and a JWT must never use `b64` (RFC 7797 §7).
  if ('crit' in others || 'b64' in others) return { reason: 'critical_header_unknown' };
  if (!isType(typ)) return { reason: 'other_type' };
  if (typeof kid !== 'string' || kid === '') return { reason: 'signing_key_unknown' };
  return { algorithm: alg, keyId: kid };
}

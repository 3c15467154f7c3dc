/** Token header: what the header of a compact JWS says of how it is signed (RFC 7515 §4.1), as far as any of that is listened to. */
import type { BearerErrorReason } from '../index.js';
import { BearerError, isStrictJson, loggableText } from '../ports/jwt-verification.js';

export interface TokenHeader {
  readonly algorithm: string;
  readonly keyId: string;
}

/** RFC 7519 §5.1, RFC 9068 §2.1; in any case, with or without `application/` (RFC 7515 §4.1.9). */
const ACCESS_TOKEN_TYPE = /^(?:application\/)?(?:jwt|at\+jwt)$/i;

/**
 * Of everything that a sender can write there, `alg` and `kid` are used to choose among what is known here. Where to find a key, or the key itself (`jku`, `x5u`, `jwk`, `x5c`),
 * is for nobody to say but the issuer, and is not looked at.
 *
 * Throws `BearerError` `invalid_token`.
 */
export function readTokenHeader(token: string, algorithms: ReadonlySet<string>): TokenHeader {
  const { alg, kid, typ, ...others } = parsed(token.slice(0, token.indexOf('.')));
  if (typeof alg !== 'string' || !algorithms.has(alg)) {
    throw invalid('algorithm_not_allowed', { alg: loggableText(alg) });
  }
  // No extension is understood here (§4.1.11); and one that says how to read the payload may not be used by JWTs at all (RFC 7797 §7).
  if ('crit' in others || 'b64' in others) throw invalid('critical_header_unknown');
  if (typ !== undefined && !(typeof typ === 'string' && ACCESS_TOKEN_TYPE.test(typ)))
    throw invalid('not_an_access_token');
  if (typeof kid !== 'string' || kid === '') throw invalid('signing_key_unknown');
  return { algorithm: alg, keyId: kid };
}

function parsed(header: string): Readonly<Record<string, unknown>> {
  const bytes = Buffer.from(header, 'base64url');
  const value: unknown = isStrictJson(bytes) ? JSON.parse(bytes.toString()) : undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('token_malformed');
  return value as Readonly<Record<string, unknown>>;
}

export function invalid(reason: BearerErrorReason, fields: Readonly<Record<string, unknown>> = {}): BearerError {
  return new BearerError('invalid_token', { reason, fields });
}

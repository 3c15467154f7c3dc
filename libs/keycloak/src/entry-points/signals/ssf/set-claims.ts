import { texts, type JsonObject } from './transmitter-answers.js';

export type SetRefusal =
  | 'token_malformed'
  | 'token_too_long'
  | 'algorithm_not_allowed'
  | 'critical_header_unknown'
  | 'not_a_security_event_token'
  | 'signing_key_unknown'
  | 'signature_invalid'
  | 'other_issuer'
  | 'other_audience'
  | 'other_jti'
  | 'has_sub_or_exp'
  | 'time_missing'
  | 'issued_in_the_future';

export interface SetRecipient {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** The `jti` under which the token was delivered (RFC 8936 §2.3). */
  readonly jti: string;
}

export interface SetClaims {
  /** The `iat` claim, in seconds since the epoch, by the issuer's clock. */
  readonly issuedAt: number;
  readonly events: unknown;
  readonly subId: unknown;
}

/** Tolerated difference between the clocks of several nodes, in seconds. */
const TOLERANCE = 60;

/**
 * Checks claims, but not the signature (RFC 8417 §2.2, SSF 1.0 §4.1). `now` is in seconds since the epoch, by the
 * server's clock.
 */
export function readSetClaims(claims: JsonObject, recipient: SetRecipient, now: number): SetClaims | SetRefusal {
  const { iss, aud, jti, iat, events, sub_id: subId } = claims;
  if (iss !== recipient.issuer) return 'other_issuer';
  if (!texts(aud).some((one) => recipient.audiences.includes(one))) return 'other_audience';
  // A token with `sub` or `exp` could pass as another type of token.
  if ('sub' in claims || 'exp' in claims) return 'has_sub_or_exp';
  if (jti !== recipient.jti) return 'other_jti';
  if (typeof iat !== 'number' || !Number.isFinite(iat) || iat < 0) return 'time_missing';
  if (iat > now + TOLERANCE) return 'issued_in_the_future';
  return { issuedAt: iat, events, subId };
}

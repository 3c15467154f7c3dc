import type { BackchannelLogout } from './logout-listener.js';

export type LogoutRefusal =
  | 'logout_token_missing'
  | 'token_too_long'
  | 'token_malformed'
  | 'algorithm_not_allowed'
  | 'critical_header_unknown'
  | 'not_a_logout_token'
  | 'signing_key_unknown'
  | 'signature_invalid'
  | 'other_issuer'
  | 'other_audience'
  | 'times_missing'
  | 'issued_in_the_future'
  | 'not_yet_valid'
  | 'too_old'
  | 'expired'
  | 'lives_too_long'
  | 'not_a_logout_event'
  | 'has_a_nonce'
  | 'malformed_sub_or_sid'
  | 'neither_sub_nor_sid'
  | 'jti_missing'
  | 'jti_seen_before';

export class LogoutTokenError extends Error {
  constructor(readonly reason: LogoutRefusal) {
    super(`Logout token refused (${reason})`);
  }
}

export interface LogoutRecipient {
  readonly issuer: string;
  readonly clientId: string;
  readonly clockToleranceSeconds: number;
}

export interface LogoutClaims extends BackchannelLogout {
  readonly tokenId: string;
  /** Whether the logout also ends offline sessions (OpenID Connect Back-Channel Logout 1.0 §2.7). */
  readonly endsOffline: boolean;
}

type Claims = Readonly<Record<string, unknown>>;

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** The member that Keycloak sets if the client has the attribute `backchannel.logout.revoke.offline.tokens`. */
const REVOKES_OFFLINE = 'revoke_offline_access';

/** The maximum age of a logout token in seconds; the specification recommends a lifetime of at most two minutes. */
const MAX_AGE = 120;
const MAX_LIFE = 300;
/** Keycloak sends a notice only once, so a smaller tolerance of the module does not apply. */
const MIN_CLOCK_TOLERANCE = 5;
const MAX_CLOCK_TOLERANCE = 60;

/** The time in which an attacker could replay an accepted token, in seconds. */
export const REPLAYABLE_SECONDS = MAX_LIFE + MAX_AGE + 2 * MAX_CLOCK_TOLERANCE;

const MAX_IDENTIFIER_LENGTH = 1024;

/**
 * Checks the claims, but not the signature (OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6). `now` is in seconds
 * since the epoch.
 */
export function readLogoutClaims(
  claims: Claims,
  { issuer, clientId, clockToleranceSeconds }: LogoutRecipient,
  now: number,
): LogoutClaims {
  const { iss, aud, sub, sid, jti, events } = claims;
  if (iss !== issuer) throw new LogoutTokenError('other_issuer');
  if (!(aud === clientId || (Array.isArray(aud) && aud.includes(clientId)))) {
    throw new LogoutTokenError('other_audience');
  }
  const issuedAt = issuedAtOf(claims, now, Math.max(MIN_CLOCK_TOLERANCE, clockToleranceSeconds));
  if (!isObject(events) || !isObject(events[EVENT])) throw new LogoutTokenError('not_a_logout_event');
  // A token with a nonce could be used as an ID token.
  if ('nonce' in claims) throw new LogoutTokenError('has_a_nonce');
  if (!isIdentifier(sub) || !isIdentifier(sid)) throw new LogoutTokenError('malformed_sub_or_sid');
  if (sub === undefined && sid === undefined) throw new LogoutTokenError('neither_sub_nor_sid');
  if (typeof jti !== 'string' || jti === '') throw new LogoutTokenError('jti_missing');
  return {
    issuer,
    ...(sid === undefined ? {} : { sessionId: sid }),
    ...(sub === undefined ? {} : { subject: sub }),
    issuedAt,
    tokenId: jti,
    endsOffline: events[REVOKES_OFFLINE] === true,
  };
}

function issuedAtOf({ iat, exp, nbf }: Claims, now: number, tolerance: number): number {
  if (!isTime(iat) || !isTime(exp) || !(nbf === undefined || isTime(nbf))) throw new LogoutTokenError('times_missing');
  if (iat > now + tolerance) throw new LogoutTokenError('issued_in_the_future');
  if (nbf !== undefined && nbf > now + tolerance) throw new LogoutTokenError('not_yet_valid');
  if (exp <= now - tolerance) throw new LogoutTokenError('expired');
  if (iat < now - MAX_AGE - tolerance) throw new LogoutTokenError('too_old');
  if (exp - iat > MAX_LIFE) throw new LogoutTokenError('lives_too_long');
  return iat;
}

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;

const isIdentifier = (value: unknown): value is string | undefined =>
  value === undefined || (typeof value === 'string' && value.trim() !== '' && value.length <= MAX_IDENTIFIER_LENGTH);

const isObject = (value: unknown): value is Claims =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

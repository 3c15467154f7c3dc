/** Authentication demand: the login that a token must prove, and how old it may be (RFC 9470 §3). */
import { isScopeToken } from './scope.js';

/** The required login, as in the challenge and the body of a refusal. */
export interface AuthenticationDemand {
  /** Accepted values of `acr`, the preferred one first. If empty, any value is accepted. */
  readonly acrValues: readonly string[];
  /** The maximum age of the user's login (`auth_time`). Undefined: no limit. */
  readonly maxAgeSeconds: number | undefined;
}

/** The claims `acr` and `auth_time` of a token, of unchecked type. */
export interface AuthenticationClaims {
  readonly acr: unknown;
  readonly authTime: unknown;
}

/** Reasons of a refusal. */
export type AuthenticationFault =
  | 'acr_missing'
  | 'authentication_too_weak'
  | 'auth_time_missing'
  | 'authentication_too_old'
  | 'auth_time_in_the_future';

/**
 * Applies the check of `@RequireStepUp` to any token of a login, such as an ID token (RFC 9470 §5, §6). Returns
 * undefined if the login is sufficient. A claim that is missing or has another type meets no demand. It does NOT verify
 * the token. Times are seconds since the epoch; `toleranceSeconds` is the allowed clock skew.
 */
export function authenticationFault(
  { acrValues, maxAgeSeconds }: AuthenticationDemand,
  { acr, authTime }: AuthenticationClaims,
  nowSeconds: number,
  toleranceSeconds: number,
): AuthenticationFault | undefined {
  if (acrValues.length > 0) {
    if (typeof acr !== 'string') return 'acr_missing';
    if (!acrValues.includes(acr)) return 'authentication_too_weak';
  }
  if (maxAgeSeconds === undefined) return undefined;
  if (typeof authTime !== 'number' || !Number.isFinite(authTime)) return 'auth_time_missing';
  const ageSeconds = nowSeconds - authTime;
  if (ageSeconds > maxAgeSeconds + toleranceSeconds) return 'authentication_too_old';
  return ageSeconds < -toleranceSeconds ? 'auth_time_in_the_future' : undefined;
}

/**
 * Whether `value` can be a member of `acr_values`, a space-separated list in a quoted-string: ASCII without spaces, `"`
 * and `\`.
 */
export const isAcrValue: (value: unknown) => value is string = isScopeToken;

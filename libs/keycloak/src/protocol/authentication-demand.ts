import { isScopeToken } from './scope.js';

/** Describes the required login in a refusal's challenge and body (RFC 9470 §3). */
export interface AuthenticationDemand {
  /** The accepted values of `acr` in order of preference; an empty list accepts any value. */
  readonly acrValues: readonly string[];
  /** The maximum age of `auth_time`, or undefined if the age has no limit. */
  readonly maxAgeSeconds: number | undefined;
}

/** The claims `acr` and `auth_time` of a token, with unchecked types. */
export interface AuthenticationClaims {
  readonly acr: unknown;
  readonly authTime: unknown;
}

export type AuthenticationFault =
  | 'acr_missing'
  | 'authentication_too_weak'
  | 'auth_time_missing'
  | 'authentication_too_old'
  | 'auth_time_in_the_future';

/**
 * Applies the check of `@RequireStepUp` to any token of a login (RFC 9470 §5, §6). Returns undefined if the login is
 * sufficient. The function does NOT verify the token. Times are seconds since the epoch; `toleranceSeconds` is the
 * allowed clock skew.
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

export const isAcrValue: (value: unknown) => value is string = isScopeToken;

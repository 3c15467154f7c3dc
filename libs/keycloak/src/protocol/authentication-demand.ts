/** Authentication demand: which login must be behind a token, how long ago it may be, and what of that a login lacks (RFC 9470 §3). */
import { isScopeToken } from './scope.js';

/** As the challenge and the body of a refusal say it. */
export interface AuthenticationDemand {
  /** The token's `acr` must be one of these, the first of which is preferred. Empty: whichever it is. */
  readonly acrValues: readonly string[];
  /** How long ago the user may have logged in (`auth_time`). Undefined: however long. */
  readonly maxAgeSeconds: number | undefined;
}

/** How and when a user has logged in, as a token says it: its claims `acr` and `auth_time`, of which nobody has looked at the type. */
export interface AuthenticationClaims {
  readonly acr: unknown;
  readonly authTime: unknown;
}

/** Why a login does not suffice: reasons of a refusal. */
export type AuthenticationFault =
  | 'acr_missing'
  | 'authentication_too_weak'
  | 'auth_time_missing'
  | 'authentication_too_old'
  | 'auth_time_in_the_future';

/**
 * What `@RequireStepUp` asks of an access token, for who holds another token of a login, such as an ID token. Undefined where the login suffices. A claim
 * that is missing, or of another type, meets no demand. It does NOT verify the token that the claims are of. Times are seconds since the epoch; `toleranceSeconds` is how
 * far two clocks may differ (RFC 9470 §5, §6).
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
 * Whether `value` can be one `acr` of a challenge: `acr_values` is a list with blanks between its members, in a quoted-string, and no
 * blank, `"`, `\` or letter beyond ASCII gets through that as it is.
 */
export const isAcrValue: (value: unknown) => value is string = isScopeToken;

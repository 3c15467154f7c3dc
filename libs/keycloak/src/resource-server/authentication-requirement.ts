import { isAcrValue, type AuthenticationDemand } from '../protocol/authentication-demand.js';

export interface AuthenticationRequirement {
  /** The token's `acr` must equal one of these values, case-sensitively; the first value is preferred. */
  readonly acr?: string | readonly string[];
  /**
   * The maximum age of the user's login (`auth_time`) in seconds, plus `clockToleranceSeconds`. If users need longer
   * than `maxAgeSeconds` to return from a login, every call is refused.
   */
  readonly maxAgeSeconds?: number;
}

export function authenticationDemand(where: string, requirement: AuthenticationRequirement): AuthenticationDemand {
  const { acr, maxAgeSeconds, ...others } = Object(requirement) as AuthenticationRequirement;
  // A misspelt name must not silently drop a requirement.
  for (const other of Object.keys(others)) throw new TypeError(`${where}: unknown member "${other}"`);
  if (acr === undefined && maxAgeSeconds === undefined) {
    throw new TypeError(`${where}: acr or maxAgeSeconds must be given`);
  }
  const acrValues = acr === undefined ? [] : [...new Set([acr].flat())];
  if (acr !== undefined && acrValues.length === 0) throw new TypeError(`${where}: acr must name at least one value`);
  for (const value of acrValues as readonly unknown[]) {
    if (isAcrValue(value)) continue;
    throw new TypeError(
      `${where}: ${JSON.stringify(value)} is not a valid acr. An acr is one word of printable ASCII without quotes`,
    );
  }
  if (maxAgeSeconds !== undefined && !(Number.isSafeInteger(maxAgeSeconds) && maxAgeSeconds >= 0)) {
    throw new TypeError(`${where}: maxAgeSeconds must be an integer of at least 0`);
  }
  return Object.freeze({ acrValues: Object.freeze(acrValues), maxAgeSeconds });
}

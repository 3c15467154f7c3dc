/** Authentication requirement: what `@RequireStepUp` is given, and the demand that it comes to. */
import { isAcrValue, type AuthenticationDemand } from '../protocol/authentication-demand.js';

/** At least one of both. */
export interface AuthenticationRequirement {
  /** The token's `acr` must be this, or one of these: whole, and case-sensitively. The first is the one that callers are asked for most. */
  readonly acr?: string | readonly string[];
  /**
   * How many seconds ago the user may have logged in (`auth_time`), beside `clockToleranceSeconds`. It must leave time to come back from a
   * login, or nobody ever passes.
   */
  readonly maxAgeSeconds?: number;
}

/** Throws `TypeError`. */
export function authenticationDemand(where: string, requirement: AuthenticationRequirement): AuthenticationDemand {
  const { acr, maxAgeSeconds, ...others } = Object(requirement) as AuthenticationRequirement;
  // A misspelt name must not pass for a demand that is not made.
  for (const other of Object.keys(others)) throw new TypeError(`${where}: unknown member "${other}"`);
  if (acr === undefined && maxAgeSeconds === undefined) {
    throw new TypeError(`${where}: acr or maxAgeSeconds must be given`);
  }
  const acrValues = acr === undefined ? [] : [...new Set([acr].flat())];
  if (acr !== undefined && acrValues.length === 0) throw new TypeError(`${where}: acr must name at least one value`);
  for (const value of acrValues as readonly unknown[]) {
    if (isAcrValue(value)) continue;
    throw new TypeError(
      `${where}: ${JSON.stringify(value)} is no acr, which is one word of printable ASCII without quotes`,
    );
  }
  if (maxAgeSeconds !== undefined && !(Number.isSafeInteger(maxAgeSeconds) && maxAgeSeconds >= 0)) {
    throw new TypeError(`${where}: maxAgeSeconds must be an integer from 0`);
  }
  return Object.freeze({ acrValues: Object.freeze(acrValues), maxAgeSeconds });
}

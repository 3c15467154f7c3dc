/** Authentication demand: which login must be behind a token, and how long ago it may be (RFC 9470 §3). */
import { isScopeToken } from './scope.js';

/** As the challenge and the body of a refusal say it. */
export interface AuthenticationDemand {
  /** The token's `acr` must be one of these, the first of which is preferred. Empty: whichever it is. */
  readonly acrValues: readonly string[];
  /** How long ago the user may have logged in (`auth_time`). Undefined: however long. */
  readonly maxAgeSeconds: number | undefined;
}

/**
 * Whether `value` can be one `acr` of a challenge: `acr_values` is a list with blanks between its members, in a quoted-string, and no
 * blank, `"`, `\` or letter beyond ASCII gets through that as it is.
 */
export const isAcrValue: (value: unknown) => value is string = isScopeToken;

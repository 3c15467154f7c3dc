/** Judge authentication: whether the login behind a judged token is strong and recent enough for a route (RFC 9470 §3, §6). */
import type { AuthenticationDemand } from '../protocol/authentication-demand.js';
import { BearerError } from '../protocol/bearer-error.js';
import { loggableText } from '../protocol/loggable-text.js';
import type { BearerErrorReason } from '../protocol/refusal-reasons.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';

/**
 * Throws `BearerError` `insufficient_user_authentication`. A claim that is missing, or of another type, meets no demand.
 *
 * The refusal names all that is demanded, and not only what is lacking: one login is to meet it.
 */
export function judgeAuthentication(
  token: VerifiedAccessToken,
  demand: AuthenticationDemand,
  nowSeconds: number,
  toleranceSeconds: number,
): void {
  const { acr, auth_time: authTime } = token.claims;
  const { acrValues, maxAgeSeconds } = demand;
  const refused = (reason: BearerErrorReason, more: Readonly<Record<string, unknown>>): BearerError => {
    const { issuer: iss, clientId: azp, subject: sub, claims } = token;
    const fields = { iss, azp, sub, jti: claims.jti, ...more };
    return new BearerError('insufficient_user_authentication', { reason, authentication: demand, fields });
  };
  if (acrValues.length > 0) {
    if (typeof acr !== 'string') throw refused('acr_missing', { hint: ACR_MISSING });
    if (!acrValues.includes(acr)) throw refused('authentication_too_weak', { acr: loggableText(acr), ...hintOf(acr) });
  }
  if (maxAgeSeconds === undefined) return;
  if (typeof authTime !== 'number' || !Number.isFinite(authTime)) {
    throw refused('auth_time_missing', { hint: AUTH_TIME_MISSING });
  }
  const ageSeconds = nowSeconds - authTime;
  if (ageSeconds > maxAgeSeconds + toleranceSeconds) {
    throw refused('authentication_too_old', { ageSeconds: Math.round(ageSeconds) });
  }
  if (ageSeconds < -toleranceSeconds) {
    const hint = `This service's clock is behind Keycloak's by at least ${Math.round(-ageSeconds)} s.`;
    throw refused('auth_time_in_the_future', { hint });
  }
}

/** What Keycloak says of a token that was exchanged, whatever the login was, and of single sign-on without levels. */
const hintOf = (acr: string): object => (acr === '1' || acr === '0' ? { hint: ACR_LOST } : {});

const ACR_LOST =
  'Keycloak keeps no level on a token exchange: an exchanged token says 1, as that of a service account does. Demand acr where the token of the login arrives.';

const ACR_MISSING =
  'Keycloak puts acr into tokens by the client scope acr, which must be a default scope of the client that the token was issued to.';

const AUTH_TIME_MISSING =
  'Keycloak puts auth_time into tokens by the client scope basic, and only where a user has logged in in a browser: a service account has none, nor has a token of the password grant.';

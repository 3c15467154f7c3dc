import {
  authenticationFault,
  type AuthenticationDemand,
  type AuthenticationFault,
} from '../protocol/authentication-demand.js';
import { BearerError } from '../protocol/bearer-error.js';
import { loggableText } from '../protocol/loggable-text.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';

export function verifyAuthentication(
  token: VerifiedAccessToken,
  demand: AuthenticationDemand,
  acceptedAcr: readonly string[] | undefined,
  nowSeconds: number,
  toleranceSeconds: number,
): void {
  const { acr, auth_time: authTime, jti } = token.claims;
  const isForeign = typeof acr === 'string' && acceptedAcr?.includes(acr) === false;
  // An empty `acr` never matches, because a requirement can't name it.
  const counted = isForeign ? '' : acr;
  const reason = authenticationFault(demand, { acr: counted, authTime }, nowSeconds, toleranceSeconds);
  if (reason === undefined) return;
  const { issuer: iss, clientId: azp, subject: sub } = token;
  // The claims may be of any type, and some objects can't be converted to a string or a number.
  const ageSeconds = typeof authTime === 'number' ? nowSeconds - authTime : Number.NaN;
  const fields = { iss, azp, sub, jti, ...storyOf(reason, acr, ageSeconds) };
  if (isForeign && reason === 'authentication_too_weak') Object.assign(fields, { hint: ACR_NOT_ACCEPTED });
  throw new BearerError('insufficient_user_authentication', { reason, authentication: demand, fields });
}

function storyOf(reason: AuthenticationFault, acr: unknown, ageSeconds: number): Readonly<Record<string, unknown>> {
  switch (reason) {
    case 'acr_missing':
      return { hint: ACR_MISSING };
    case 'authentication_too_weak':
      return { acr: loggableText(acr), ...hintOf(acr) };
    case 'auth_time_missing':
      return { hint: AUTH_TIME_MISSING };
    case 'authentication_too_old':
      return { ageSeconds: Math.round(ageSeconds) };
    case 'auth_time_in_the_future':
      return { hint: `This service's clock is behind Keycloak's by at least ${Math.round(-ageSeconds)} s.` };
  }
}

/** Keycloak sets this `acr` in an exchanged token, whatever the login was, and for single sign-on without levels. */
const hintOf = (acr: unknown): object => (acr === '1' || acr === '0' ? { hint: ACR_LOST } : {});

const ACR_LOST =
  'Keycloak keeps no level on a token exchange: an exchanged token says 1, as that of a service account does. Demand acr where the token of the login arrives.';

const ACR_NOT_ACCEPTED =
  'It is of another issuer than the first, and acceptedAcr of its entry in issuers does not have it: what it calls so may be something else.';

const ACR_MISSING =
  'Keycloak puts acr into tokens by the client scope acr, which must be a default scope of the client that the token was issued to.';

const AUTH_TIME_MISSING =
  'Keycloak puts auth_time into tokens by the client scope basic, and only where a user has logged in in a browser: a service account has none, nor has a token of the password grant.';

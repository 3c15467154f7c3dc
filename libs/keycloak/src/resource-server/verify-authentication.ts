import {
  authenticationFault,
  type AuthenticationDemand,
  type AuthenticationFault,
} from '../protocol/authentication-demand.js';
import { BearerError } from '../protocol/bearer-error.js';
import { loggableText } from '../protocol/loggable-text.js';
import { ownerOf, type VerifiedAccessToken } from '../protocol/verified-access-token.js';

export function verifyAuthentication(
  token: VerifiedAccessToken,
  demand: AuthenticationDemand,
  acceptedAcr: readonly string[] | undefined,
  nowSeconds: number,
  toleranceSeconds: number,
): void {
  const { acr, auth_time: authTime } = token.claims;
  const isForeign = typeof acr === 'string' && acceptedAcr?.includes(acr) === false;
  // An empty `acr` never matches, because a requirement can't name an empty `acr`.
  const counted = isForeign ? '' : acr;
  const reason = authenticationFault(demand, { acr: counted, authTime }, nowSeconds, toleranceSeconds);
  if (reason === undefined) return;
  // A claim may be an object that can't be converted to a string or a number.
  const ageSeconds = typeof authTime === 'number' ? nowSeconds - authTime : Number.NaN;
  const fields = { ...ownerOf(token), ...storyOf(reason, acr, ageSeconds) };
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

/** Keycloak sets `acr` to 0 or 1 in every exchanged token, and after single sign-on without authentication levels. */
const hintOf = (acr: unknown): object => (acr === '1' || acr === '0' ? { hint: ACR_LOST } : {});

const ACR_LOST =
  'Keycloak does not keep the level in a token exchange. Exchanged tokens and tokens of service accounts have acr 1. Demand acr in the service that receives the token of the login.';

const ACR_NOT_ACCEPTED =
  "The option acceptedAcr of the token's issuer does not contain this acr. Another issuer may give the value another meaning.";

const ACR_MISSING =
  'The client scope acr adds acr to tokens. It must be a default scope of the client that the token was issued to.';

const AUTH_TIME_MISSING =
  'The client scope basic adds auth_time to tokens if the user logged in with a browser. Tokens of service accounts and of the password grant have none.';

/** BearerError: what is wrong with the caller's credentials (RFC 6750 §3.1, RFC 9470 §3, and two codes of our own). */
import type { BearerErrorReason } from './refusal-reasons.js';
import { KeycloakException, type RefusalDetails } from './keycloak-exception.js';

/**
 * - `missing_token` (401): no credentials were sent.
 * - `invalid_request` (400): two credentials, or a header that has no form.
 * - `invalid_token` (401): junk, expired, inactive, denied, or meant for another audience, issuer or use.
 * - `insufficient_user_authentication` (401): a good token, whose user must log in again: more strongly, or since it is too long ago.
 * - `insufficient_scope` (403): a good token without the permission that is named.
 * - `client_not_allowed` (403): a good token, issued to a client that this route is not for.
 * - `route_closed` (403): no decorator opens the route.
 */
export type BearerErrorCode =
  | 'missing_token'
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_user_authentication'
  | 'insufficient_scope'
  | 'client_not_allowed'
  | 'route_closed';

/** The caller's fault; never ours or the authorization server's. */
export class BearerError extends KeycloakException<BearerErrorReason> {
  constructor(
    readonly code: BearerErrorCode,
    details: RefusalDetails<BearerErrorReason>,
  ) {
    super(code, details);
  }
}

import type { BearerErrorReason } from './refusal-reasons.js';
import { KeycloakException, type RefusalDetails } from './keycloak-exception.js';

/**
 * - `missing_token` (401): the call has no credentials.
 * - `invalid_request` (400): the call has more than one credential, or a malformed header.
 * - `invalid_token` (401): the token is malformed, expired, inactive, denied, of another issuer, or meant for another
 *   audience or use.
 * - `insufficient_user_authentication` (401): the token is valid, but the user's login is too weak or too old.
 * - `insufficient_scope` (403): the token is valid, but lacks the named permission.
 * - `client_not_allowed` (403): the token is valid, but this route does not allow its client.
 * - `route_closed` (403): no decorator grants access to the route.
 */
export type BearerErrorCode =
  | 'missing_token'
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_user_authentication'
  | 'insufficient_scope'
  | 'client_not_allowed'
  | 'route_closed';

/**
 * A fault of the caller's credentials (RFC 6750 §3.1, RFC 9470 §3), never of this service or the authorization server.
 */
export class BearerError extends KeycloakException<BearerErrorReason> {
  constructor(
    readonly code: BearerErrorCode,
    details: RefusalDetails<BearerErrorReason>,
  ) {
    super(code, details);
  }
}

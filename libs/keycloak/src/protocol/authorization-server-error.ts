/** AuthorizationServerError: the authorization server gave us no usable answer; the caller can't mend it. */
import { Refusal, type RefusalDetails } from './refusal.js';

/**
 * - `authorization_server_refused` (502): it refused our credentials, or what we are configured to ask for.
 * - `authorization_server_unavailable` (503): not reachable, too slow, overloaded, or an answer that makes no sense.
 */
export type AuthorizationServerErrorCode = 'authorization_server_refused' | 'authorization_server_unavailable';

/** Our own failure towards the authorization server. It is never shown as a fault of the caller's token. */
export class AuthorizationServerError extends Refusal {
  constructor(
    readonly code: AuthorizationServerErrorCode,
    details: RefusalDetails,
  ) {
    super(code, details);
  }
}

/** Token endpoint errors: the one table that reads Keycloak's descriptions, because one code means many things. */
import { ResponseBodyError } from 'oauth4webapi';
import { BearerError } from '../protocol/bearer-error.js';
import { CLIENT_CREDENTIALS_GRANT } from '../protocol/identifiers.js';
import type { Refusal } from '../protocol/refusal.js';
import { toServerError } from './server-errors.js';
import type { TokenRequestParameters } from './token-request-parameters.js';

/** What a refused token exchange says of the caller. A refusal that is not listed is ours: 502. */
const EXCHANGE_REFUSALS: readonly {
  readonly error: string;
  readonly description: RegExp;
  readonly means: 'invalid_token' | 'insufficient_scope';
}[] = [
  // The subject token was revoked, has expired or is none.
  { error: 'invalid_request', description: /^Invalid token$/i, means: 'invalid_token' },
  { error: 'invalid_grant', description: /^/, means: 'invalid_token' },
  // The scope was not granted because the user lacks its role, and with the scope goes its audience.
  { error: 'invalid_request', description: /^Requested audience not available/i, means: 'insufficient_scope' },
];

/** The refusal for the caller, or for the operator, that a failed token request comes to. */
export function toTokenRefusal(error: unknown, request: TokenRequestParameters): Refusal {
  if (error instanceof ResponseBodyError && request.grant_type !== CLIENT_CREDENTIALS_GRANT && error.status === 400) {
    const description = error.error_description ?? '';
    const row = EXCHANGE_REFUSALS.find((known) => known.error === error.error && known.description.test(description));
    if (row?.means === 'invalid_token') return new BearerError('invalid_token', { reason: 'subject_token_refused' });
    if (row?.means === 'insufficient_scope') {
      return new BearerError('insufficient_scope', {
        reason: 'permission_not_granted_to_subject',
        permission: request.scope,
        fields: { audience: request.audience },
      });
    }
  }
  return toServerError(error);
}

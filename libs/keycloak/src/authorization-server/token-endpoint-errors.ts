/** Token endpoint errors: the one table that reads Keycloak's descriptions, because one code means many things. */
import { ResponseBodyError } from 'oauth4webapi';
import { BearerError } from '../protocol/bearer-error.js';
import type { KeycloakException } from '../protocol/keycloak-exception.js';
import type { ProfileName } from '../protocol/token-profile.js';
import { loggableDescription } from './bounded-fetch.js';
import { toServerError } from './server-errors.js';

interface ExchangeRefusal {
  readonly error: string;
  readonly description: RegExp;
  readonly means: 'invalid_token' | 'insufficient_scope';
}

/** What a refused token exchange says of the caller. A refusal that is not listed is ours: 502. */
const EXCHANGE_REFUSALS: readonly ExchangeRefusal[] = [
  // The subject token was revoked, has expired or is not a token.
  { error: 'invalid_request', description: /^Invalid token$/i, means: 'invalid_token' },
  { error: 'invalid_grant', description: /^/, means: 'invalid_token' },
  // The scope was not granted because the user lacks its role, and with the scope goes its audience.
  { error: 'invalid_request', description: /^Requested audience not available/i, means: 'insufficient_scope' },
];

/** The same of other servers, by the codes alone (RFC 6749 §5.2): the scope is none of ours, which are the same for each caller, but more than this one was granted. */
const EXCHANGE_REFUSALS_OF_OTHERS: readonly ExchangeRefusal[] = [
  { error: 'invalid_grant', description: /^/, means: 'invalid_token' },
  { error: 'invalid_scope', description: /^/, means: 'insufficient_scope' },
];

/** The error of a failed token exchange: one for its caller, or one for the operator. */
export function toExchangeError(error: unknown, scope: string, profile: ProfileName): KeycloakException {
  if (!(error instanceof ResponseBodyError) || error.status !== 400) return toServerError(error);
  const description = error.error_description ?? '';
  const row = (profile === 'keycloak' ? EXCHANGE_REFUSALS : EXCHANGE_REFUSALS_OF_OTHERS).find(
    (refusal) => refusal.error === error.error && refusal.description.test(description),
  );
  if (row === undefined) return toServerError(error);
  const text = loggableDescription(error.response, description);
  const said = text === undefined ? {} : { fields: { description: text } };
  return row.means === 'invalid_token'
    ? new BearerError('invalid_token', { reason: 'subject_token_refused', ...said })
    : new BearerError('insufficient_scope', {
        reason: 'permission_not_granted_to_subject',
        permission: scope,
        ...said,
      });
}

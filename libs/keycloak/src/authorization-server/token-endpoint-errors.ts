/** Keycloak's error codes are ambiguous, so the error description selects the error for the caller. */
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

/** Refusals that the caller caused; every other refusal is this service's fault (502). */
const EXCHANGE_REFUSALS: readonly ExchangeRefusal[] = [
  { error: 'invalid_request', description: /^Invalid token$/i, means: 'invalid_token' },
  { error: 'invalid_grant', description: /^/, means: 'invalid_token' },
  // The user lacks the role that the scope requires.
  { error: 'invalid_request', description: /^Requested audience not available/i, means: 'insufficient_scope' },
];

/**
 * For servers other than Keycloak, the error code alone identifies a refusal (RFC 6749 §5.2). The requested scope is a
 * constant of the application, so `invalid_scope` means that the caller lacks the scope.
 */
const EXCHANGE_REFUSALS_OF_OTHERS: readonly ExchangeRefusal[] = [
  { error: 'invalid_grant', description: /^/, means: 'invalid_token' },
  { error: 'invalid_scope', description: /^/, means: 'insufficient_scope' },
];

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

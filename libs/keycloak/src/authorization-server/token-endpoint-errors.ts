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
  readonly reason: 'subject_token_refused' | 'permission_not_granted_to_subject' | 'delegation_token_refused';
}

/**
 * Keycloak 26.8 exchanges no token with `act` or `may_act` unless the request has an `actor_token`. Its description of
 * this refusal is not known, so any description that speaks of an actor or a delegation counts.
 */
const OF_DELEGATION = /\b(?:may_)?act\b|\bactor|delegat|impersonat/i;

/** Refusals that the caller caused; every other refusal is this service's fault (502). */
const EXCHANGE_REFUSALS: readonly ExchangeRefusal[] = [
  { error: 'invalid_request', description: /^Invalid token$/i, reason: 'subject_token_refused' },
  { error: 'invalid_grant', description: /^/, reason: 'subject_token_refused' },
  // The user lacks the role that the scope requires.
  {
    error: 'invalid_request',
    description: /^Requested audience not available/i,
    reason: 'permission_not_granted_to_subject',
  },
  { error: 'invalid_request', description: OF_DELEGATION, reason: 'delegation_token_refused' },
];

/**
 * For servers other than Keycloak, the error code alone identifies a refusal (RFC 6749 §5.2). The requested scope is a
 * constant of the application, so `invalid_scope` means that the caller lacks the scope.
 */
const EXCHANGE_REFUSALS_OF_OTHERS: readonly ExchangeRefusal[] = [
  { error: 'invalid_grant', description: /^/, reason: 'subject_token_refused' },
  { error: 'invalid_scope', description: /^/, reason: 'permission_not_granted_to_subject' },
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
  const { reason } = row;
  return reason === 'subject_token_refused'
    ? new BearerError('invalid_token', { reason, ...said })
    : new BearerError('insufficient_scope', { reason, permission: scope, scopes: [], ...said });
}

import { error, note, type Finding } from '../../checkup/finding.js';
import { wordsOf } from '../../checkup/refusal-words.js';
import { KeycloakException } from '../../protocol/keycloak-exception.js';
import { AdminApiError } from './admin-api.js';

export function unreadableFinding(failure: unknown): Finding {
  if (!(failure instanceof AdminApiError) && !(failure instanceof KeycloakException)) throw failure;
  if (failure instanceof KeycloakException && failure.reason.startsWith(NOT_IMPLEMENTED)) {
    return note('administrator', 'The realm was not read: the embedded test server lacks this part of the admin API.');
  }
  const said = failure instanceof KeycloakException ? wordsOf(failure) : failure.message;
  const isForbidden = failure instanceof AdminApiError && [401, 403].includes(failure.status);
  const isLate = failure instanceof KeycloakException && failure.reason === 'timeout';
  return error(
    'administrator',
    `The realm can't be read as an administrator: ${said}.`,
    isForbidden ? FORBIDDEN : isLate ? LATE : UNREADABLE,
  );
}

const FORBIDDEN =
  'Get a new token (it expires after a minute) of a user with the roles view-realm, view-clients and view-users of realm-management.';
const LATE =
  'Keycloak is slow or overloaded: check its load, and run the command again. If it still does not answer in time, look for a proxy at this address, or a realm that is too large to read.';
const UNREADABLE =
  'Look for a proxy or another version of Keycloak at this address, or a realm that is too large to read.';

const NOT_IMPLEMENTED = 'answered_501_';

/** Admin event signals: what a change by an administrator says of tokens. */
import { identifier } from '../identifiers.js';
import { ofUser, type EventRepresentation, type EventSignal } from './user-event-signals.js';

const EVERYTHING: EventSignal = { recheck: 'everything' };

/** Nothing that is new has tokens yet. */
const OPERATIONS = ['UPDATE', 'DELETE', 'ACTION'] as const;

/**
 * Undefined for a change that ends no token. What is not known is not taken for harmless: it has everything rechecked, since a change that is rare costs one question for each token.
 */
export function adminEventSignal(event: EventRepresentation): EventSignal | undefined {
  const operation = OPERATIONS.find((known) => known === event['operationType']);
  const path = identifier(event['resourcePath']);
  // A change that was refused changed nothing.
  if (operation === undefined || event['error'] !== undefined) return undefined;
  if (path === undefined) return EVERYTHING;
  const [resource = '', named, ...rest] = path.split('/');
  const id = identifier(named) ?? '';
  switch (resource) {
    case 'sessions':
      return operation === 'DELETE' && id !== '' ? { denial: { sid: id } } : EVERYTHING;
    case 'users':
      return id === '' ? EVERYTHING : ofUserChange(operation, id, rest.join('/'), event['time']);
    case 'clients':
      return KEEP_TOKENS_OF_CLIENT.test(rest.join('/')) ? undefined : EVERYTHING;
    default:
      return HARMLESS.test(path) ? undefined : EVERYTHING;
  }
}

function ofUserChange(operation: string, sub: string, what: string, time: unknown): EventSignal | undefined {
  if (what === '' && operation === 'DELETE') return ofUser(sub, time);
  if (what === 'logout') return ofUser(sub, time);
  // Keycloak keeps the sessions.
  if (KEEP_SESSIONS.test(what)) return undefined;
  return { recheck: { sub } };
}

/** New passwords, and mails that ask for something. */
const KEEP_SESSIONS =
  /^(?:reset-password|credentials\/.*|execute-actions-email|reset-password-email|send-verify-email)$/;

/** Tokens that were issued stay good with a new secret of their client, and with what its later tokens are to have. */
const KEEP_TOKENS_OF_CLIENT =
  /^(?:client-secret|client-secret\/.*|registration-access-token|certificates\/.*|nodes.*|test-nodes-available)$/;

/** What is for logins to come, and for what is shown. Keys are not: a token whose key is disabled is not active any more. */
const HARMLESS =
  /^(?:authentication\/.*|identity-provider\/.*|localization\/.*|attack-detection\/.*|client-policies\/.*|clients-initial-access.*)$/;

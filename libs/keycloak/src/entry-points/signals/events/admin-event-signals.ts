import { identifier } from '../identifiers.js';
import { ofUser, type EventRepresentation, type EventSignal } from './user-event-signals.js';

const EVERYTHING: EventSignal = { recheck: 'everything' };

/** `CREATE` is missing, because a new resource does not have tokens yet. */
const OPERATIONS = ['UPDATE', 'DELETE', 'ACTION'] as const;

/** A change of an unknown kind is rare, so it may cause a recheck of all tokens. */
export function adminEventSignal(event: EventRepresentation): EventSignal | undefined {
  const operation = OPERATIONS.find((known) => known === event['operationType']);
  const path = identifier(event['resourcePath']);
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
  if (KEEP_SESSIONS.test(what)) return undefined;
  return { recheck: { sub } };
}

const KEEP_SESSIONS =
  /^(?:reset-password|credentials\/.*|execute-actions-email|reset-password-email|send-verify-email)$/;

const KEEP_TOKENS_OF_CLIENT =
  /^(?:client-secret|client-secret\/.*|registration-access-token|certificates\/.*|nodes.*|test-nodes-available)$/;

/** A change of a realm key is not harmless, because tokens of a disabled key become inactive. */
const HARMLESS =
  /^(?:authentication\/.*|identity-provider\/.*|localization\/.*|attack-detection\/.*|client-policies\/.*|clients-initial-access.*)$/;

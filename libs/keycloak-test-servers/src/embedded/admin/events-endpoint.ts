import { isResource, OPERATIONS } from '../state/admin-event.js';
import { isEventType } from '../state/event-types.js';
import type { HttpAnswer } from '../http/http-call.js';
import { DONE, found } from './admin-answer.js';
import type { AdminRequest } from './admin-request.js';
import { namesIn, pageOf, refuseParameters } from './event-query.js';

/** This server deletes expired events immediately, and Keycloak deletes them with a delay. */
export function readUserEvents({ server, call: { query } }: AdminRequest): HttpAnswer {
  refuseParameters(query, 'events', ['ipAddress']);
  const types = namesIn(query, 'type', isEventType);
  const [client, user] = [query.get('client'), query.get('user')];
  const { eventsExpiration } = server.realm.settings;
  const since = eventsExpiration > 0 ? server.clock.nowMs() - eventsExpiration * 1000 : -Infinity;
  return found(
    pageOf(
      server.events.users.all(),
      query,
      ({ type, clientId, userId, time }) =>
        time >= since &&
        (types?.includes(type) ?? true) &&
        (client === null || client === clientId) &&
        (user === null || user === userId),
    ),
  );
}

export function readAdminEvents({ server, call: { query } }: AdminRequest): HttpAnswer {
  const others = ['authRealm', 'authClient', 'authUser', 'authIpAddress', 'resourcePath'];
  refuseParameters(query, 'admin events', others);
  const operations = namesIn(query, 'operationTypes', (name) => OPERATIONS.some((known) => known === name));
  const resources = namesIn(query, 'resourceTypes', isResource);
  return found(
    pageOf(
      server.events.admin.all(),
      query,
      ({ operationType, resourceType }) =>
        (operations?.includes(operationType) ?? true) && (resources?.includes(resourceType) ?? true),
    ),
  );
}

export function clearUserEvents({ server }: AdminRequest): HttpAnswer {
  server.events.users.clear();
  return DONE;
}

export function clearAdminEvents({ server }: AdminRequest): HttpAnswer {
  server.events.admin.clear();
  return DONE;
}

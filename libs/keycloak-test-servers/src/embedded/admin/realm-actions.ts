import type { HttpAnswer } from '../http/http-call.js';
import { found } from './admin-answer.js';
import type { AdminRequest } from './admin-request.js';
import { clientOf } from './clients.js';
import { recordAdminEvent } from '../events/record-admin-event.js';

const NOBODY = {};

/** Ends all sessions and invalidates tokens of service accounts, but notifies no client. */
export function logOutAll(request: AdminRequest): HttpAnswer {
  const { sessions, realm, clock } = request.server;
  sessions.endAll();
  realm.settings.notBefore = clock.now();
  recordAdminEvent(request, { operation: 'ACTION', resource: 'REALM', representation: NOBODY });
  return found(NOBODY);
}

/** The setting `notBefore` takes effect even without a push to the clients. */
export function pushRevocation(request: AdminRequest): HttpAnswer {
  recordAdminEvent(request, { operation: 'ACTION', resource: 'REALM', representation: NOBODY });
  return found(NOBODY);
}

export function pushRevocationOfClient(request: AdminRequest): HttpAnswer {
  clientOf(request);
  recordAdminEvent(request, { operation: 'ACTION', resource: 'CLIENT' });
  return found(NOBODY);
}

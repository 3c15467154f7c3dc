/** `/logout-all` and `/push-revocation`: what an administrator does to all sessions of the realm, or to all tokens. */
import type { HttpAnswer } from '../http/http-call.js';
import { found } from './admin-answer.js';
import type { AdminRequest } from './admin-request.js';
import { clientOf } from './clients.js';
import { recordAdminEvent } from '../events/record-admin-event.js';

/** Which of the clients were told. Here none: no client has an `adminUrl`. */
const NOBODY = {};

/** Ends all sessions without notifying clients. Tokens of earlier seconds are invalid from now on, those of service accounts, too. */
export function logOutAll(request: AdminRequest): HttpAnswer {
  const { sessions, realm, clock } = request.server;
  sessions.endAll();
  realm.settings.notBefore = clock.now();
  recordAdminEvent(request, { operation: 'ACTION', resource: 'REALM', representation: NOBODY });
  return found(NOBODY);
}

/** The `notBefore` of the realm counts without it. */
export function pushRevocation(request: AdminRequest): HttpAnswer {
  recordAdminEvent(request, { operation: 'ACTION', resource: 'REALM', representation: NOBODY });
  return found(NOBODY);
}

/** The `notBefore` of the client counts without it. */
export function pushRevocationOfClient(request: AdminRequest): HttpAnswer {
  clientOf(request);
  recordAdminEvent(request, { operation: 'ACTION', resource: 'CLIENT' });
  return found(NOBODY);
}

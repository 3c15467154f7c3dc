import { logOut } from '../grants/backchannel-logout.js';
import { recordAdminEvent } from '../events/record-admin-event.js';
import type { HttpAnswer } from '../http/http-call.js';
import { DONE } from './admin-answer.js';
import { notFound } from './admin-refusal.js';
import type { AdminRequest } from './admin-request.js';
import { userOf } from './users.js';

export async function deleteSession(request: AdminRequest): Promise<HttpAnswer> {
  const { server, id } = request;
  const session = server.sessions.find(id);
  if (session === undefined) throw notFound('Sesssion not found');
  await logOut(server, session);
  const representation = { offline: false };
  recordAdminEvent(request, { operation: 'DELETE', resource: 'USER_SESSION', representation });
  return DONE;
}

/** The tokens of a service account, which has no session, become invalid too. */
export async function logOutUser(request: AdminRequest): Promise<HttpAnswer> {
  const { server, id } = request;
  const user = userOf(server, id);
  user.notBefore = server.clock.now();
  await Promise.all(server.sessions.allOf(user).map((session) => logOut(server, session)));
  recordAdminEvent(request, { operation: 'ACTION', resource: 'USER' });
  return DONE;
}

/** `/sessions/<sid>` and `/users/<id>/logout`: sessions, ended as the console ends them. */
import { logOut } from '../browser/backchannel-logout.js';
import type { HttpAnswer } from '../http/http-call.js';
import { DONE } from './admin-answer.js';
import { notFound } from './admin-refusal.js';
import type { AdminRequest } from './admin-request.js';
import { userOf } from './users.js';

/** Every client in it is told. */
export async function deleteSession({ server, id }: AdminRequest): Promise<HttpAnswer> {
  const session = server.sessions.find(id);
  // Keycloak's spelling.
  if (session === undefined) throw notFound('Sesssion not found');
  await logOut(server, session);
  return DONE;
}

/** The same for all sessions of a user, and tokens without a session end too: a service account's. */
export async function logOutUser({ server, id }: AdminRequest): Promise<HttpAnswer> {
  const user = userOf(server, id);
  user.notBefore = server.clock.now();
  await Promise.all(server.sessions.allOf(user).map((session) => logOut(server, session)));
  return DONE;
}

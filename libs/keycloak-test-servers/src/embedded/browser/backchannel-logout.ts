/** The end of a session, told to each client in it (OpenID Connect Back-Channel Logout 1.0 §2.5). */
import { logoutToken } from './logout-token.js';
import type { RealmClient } from '../realm/realm-representation.js';
import type { ServerState } from '../server-state.js';
import type { Session } from '../sessions.js';

const TIMEOUT_MS = 5000;

/**
 * The clients are told first, all at once, and whatever they answer the session ends then: as in Keycloak, its tokens still
 * count while a client hears of it.
 */
export async function logOut(server: ServerState, session: Session): Promise<void> {
  const clients = [...session.clients.keys()].map((clientId) => server.realm.client(clientId));
  await Promise.all(clients.map((client) => (client === undefined ? undefined : tell(server, client, session))));
  server.sessions.end(session.sid);
}

async function tell(server: ServerState, client: RealmClient, { sid, user }: Session): Promise<void> {
  if (client.backchannelLogoutUrl === undefined) return;
  const logout_token = await logoutToken(server, client, { sub: user.id, sid });
  try {
    const response = await fetch(client.backchannelLogoutUrl, {
      method: 'POST',
      body: new URLSearchParams({ logout_token }),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
  } catch {
    // A client that can't be reached keeps nobody from logging out.
  }
}

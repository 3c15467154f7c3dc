/** OpenID Connect Back-Channel Logout 1.0 §2.5. */
import { logoutToken } from './logout-token.js';
import type { RealmClient } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import type { Session } from '../state/sessions.js';

const TIMEOUT_MS = 5000;

/** As in Keycloak, the tokens of the session are still valid during the notification. */
export async function logOut(server: ServerState, session: Session): Promise<void> {
  const clients = [...session.clients.keys()].map((clientId) => server.realm.client(clientId));
  await Promise.all(clients.map((client) => (client === undefined ? undefined : notify(server, client, session))));
  server.sessions.end(session.sid);
}

async function notify(server: ServerState, client: RealmClient, { sid, user }: Session): Promise<void> {
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
  } catch {}
}

// The kinds of requests during an outage of Keycloak, and their tokens.
import { RUN_CHAIN } from './chain.mjs';
import { loginTokens } from './keycloak.mjs';

/** Tokens of each kind. */
export const TOKENS = 8;

const GUARDED = '/api/orders/9876';
const LOGINS_AT_ONCE = 4;
const SHORT_CLIENT = 'demo-cli-short';

/**
 * `isGood` tokens are active, and expire after the outage. `hops` are the services that introspect a token, or tokens
 * that are exchanged from the token. `begins` is the phase in which the load begins to send the kind.
 */
export const KINDS = [
  { name: 'known', title: 'user token in use, no exchange', path: GUARDED, isGood: true, hops: 1, begins: 'warm' },
  { name: 'chain', title: 'user token in use, chain', path: RUN_CHAIN.path, isGood: true, hops: 3, begins: 'warm' },
  { name: 'own', title: "Service A's own token, chain", path: RUN_CHAIN.path, isGood: true, hops: 2, begins: 'warm' },
  { name: 'new', title: 'user token never seen', path: GUARDED, isGood: true, hops: 1, begins: 'outage' },
  { name: 'short', title: 'user token in use, expires', path: GUARDED, hops: 1, begins: 'warm', client: SHORT_CLIENT },
  { name: 'ended', isLoggedOut: true, title: 'logged out before, in use', path: GUARDED, hops: 1, begins: 'warm' },
  {
    name: 'quiet',
    isLoggedOut: true,
    title: 'logged out before, not used since',
    path: GUARDED,
    hops: 1,
    begins: 'warm',
  },
  { name: 'meanwhile', isLoggedOut: true, title: 'logged out after a minute', path: GUARDED, hops: 1, begins: 'warm' },
];

/** Adds a client whose access tokens live for `seconds`. */
export async function addShortClient(realm, seconds) {
  const [client] = await realm.read('/clients?clientId=demo-cli');
  const attributes = { ...client.attributes, 'access.token.lifespan': String(seconds) };
  await realm.change('POST', '/clients', { ...client, id: undefined, clientId: SHORT_CLIENT, attributes });
  const [{ id: added }] = await realm.read(`/clients?clientId=${SHORT_CLIENT}`);
  return { remove: () => realm.change('DELETE', `/clients/${added}`) };
}

/** Returns the sessions of each kind of user token. */
export async function logInAll(keycloak) {
  const sessions = {};
  for (const { name, client } of KINDS) if (name !== 'own') sessions[name] = await logIns(keycloak, client);
  return sessions;
}

async function logIns(keycloak, client) {
  const sessions = [];
  const worker = async () => {
    for (let left = TOKENS / LOGINS_AT_ONCE; left > 0; left -= 1)
      sessions.push(await loginTokens(keycloak, { client }));
  };
  await Promise.all(Array.from({ length: LOGINS_AT_ONCE }, worker));
  return sessions;
}

export async function logOut({ issuer }, sessions) {
  for (const { refreshToken } of sessions) {
    const body = new URLSearchParams({ client_id: 'demo-cli', refresh_token: refreshToken });
    const answer = await fetch(`${issuer}/protocol/openid-connect/logout`, { method: 'POST', body });
    if (!answer.ok) throw new Error(`The logout answers ${answer.status}`);
  }
}

import { loginTokens, publicTokens } from './keycloak.mjs';

const USERS = 50;
const NEW_EVERY = 10;

/** `known` has one access token of each of 50 new users, and `fresh` has later tokens of their sessions. */
export async function userTokens(keycloak, realm, { fresh: count, signal }) {
  const sessions = [];
  for (let user = 0; user < USERS; user += 1) {
    signal.throwIfAborted();
    const { username } = await realm.newUser();
    sessions.push(await loginTokens(keycloak, { username }));
  }
  const known = sessions.map(({ accessToken }) => accessToken);
  const fresh = [];
  while (fresh.length < count) {
    signal.throwIfAborted();
    const session = sessions[fresh.length % USERS];
    const form = { grant_type: 'refresh_token', client_id: 'demo-cli', refresh_token: session.refreshToken };
    const { access_token, refresh_token } = await publicTokens(keycloak, form);
    session.refreshToken = refresh_token;
    fresh.push(access_token);
  }
  return { known, fresh };
}

/** The number of fresh tokens for so many requests of `inTurn`. */
export const freshFor = (requests) => Math.ceil(requests / NEW_EVERY);

const SAMPLED = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };

/**
 * The requests have the known tokens in turn. If there are fresh tokens, every tenth request has a token that no earlier
 * request had. Up to `sampledUntil`, every other request is sampled, because V8 optimizes the code of sampled requests
 * only if there are many.
 */
export function inTurn({ known, fresh }, { headers, ...request }, sampledUntil) {
  let sent = 0;
  let used = 0;
  return () => {
    sent += 1;
    const isNew = fresh !== undefined && sent % NEW_EVERY === 0;
    if (isNew && used === fresh.length) throw new Error(`There are only ${used} fresh tokens`);
    const token = isNew ? fresh[used++] : known[(sent - used) % known.length];
    const trace = sent <= sampledUntil && sent % 2 === 0 ? SAMPLED : {};
    return { ...request, headers: { ...headers, authorization: `Bearer ${token}`, ...trace } };
  };
}

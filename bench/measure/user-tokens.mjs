import { loginTokens } from './keycloak.mjs';

const USERS = 50;

/** One access token of each of 50 new users. */
export async function userTokens(keycloak, realm, signal) {
  const tokens = [];
  for (let count = 0; count < USERS; count += 1) {
    signal.throwIfAborted();
    const { username } = await realm.newUser();
    tokens.push((await loginTokens(keycloak, { username })).accessToken);
  }
  return tokens;
}

const SAMPLED = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };

/**
 * Each request has the next token. Up to `sampledUntil`, every other request is sampled, because V8 optimizes the code of
 * sampled requests only if there are many.
 */
export function inTurn(tokens, { headers, ...request }, sampledUntil) {
  const requests = (more) =>
    tokens.map((token) => ({ ...request, headers: { ...headers, authorization: `Bearer ${token}`, ...more } }));
  const [plain, sampled] = [requests({}), requests(SAMPLED)];
  let sent = 0;
  return () => {
    sent += 1;
    return (sent <= sampledUntil && sent % 2 === 0 ? sampled : plain)[sent % tokens.length];
  };
}

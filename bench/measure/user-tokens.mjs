// Tokens of many users: fetched before a measurement, since Keycloak shares the cores of the load.
import { loginTokens, publicTokens } from './keycloak.mjs';

const USERS = 50;

/** Every tenth request has a token that these processes have not seen. */
const NEW_EVERY = 10;

const FETCHING = 8;

/** `requests` is the number of requests that one contender gets in a round. */
export async function userTokens(keycloak, realm, { requests, say, signal }) {
  const sessions = [];
  await together(USERS, signal, async (at) => {
    const { username } = await realm.newUser();
    sessions[at] = await loginTokens(keycloak, { username });
  });
  const known = sessions.map(({ accessToken }) => accessToken);
  const unknown = [];
  const perSession = Math.ceil(requests / NEW_EVERY / USERS);
  await together(USERS, signal, async (at) => {
    let { refreshToken } = sessions[at];
    for (let count = 0; count < perSession; count += 1) {
      const form = { grant_type: 'refresh_token', client_id: 'demo-cli', refresh_token: refreshToken };
      const renewed = await publicTokens(keycloak, form);
      refreshToken = renewed.refresh_token;
      unknown[count * USERS + at] = renewed.access_token;
    }
  });
  say(`${known.length} users have ${known.length + unknown.length} tokens`);
  return { known, unknown };
}

/** New processes have seen no token, so each chain of services gets the same tokens. */
export function inTurn({ known, unknown }, request) {
  const requests = (tokens) =>
    tokens.map((token) => ({ ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } }));
  const [ofKnown, ofUnknown] = [requests(known), requests(unknown)];
  let sent = 0;
  let sentUnknown = 0;
  return () => {
    sent += 1;
    if (sent % NEW_EVERY !== 0) return ofKnown[(sent - sentUnknown) % USERS];
    if (sentUnknown === ofUnknown.length) throw new Error('There are too few tokens');
    sentUnknown += 1;
    return ofUnknown[sentUnknown - 1];
  };
}

async function together(count, signal, work) {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      signal.throwIfAborted();
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: FETCHING }, worker));
}

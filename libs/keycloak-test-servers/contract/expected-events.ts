import type { ContractCase } from './expectations.js';
import { LoginBrowser, VERIFIER } from './login-browser.js';
import { token } from './requests.js';
import { userEvents } from './seen-events.js';
import { callerOf, CALLBACK, type ContractServer } from './server.js';

export const EVENT = { id: '<uuid>', time: '<number>', realmId: '<uuid>', ipAddress: '<address>' };
export const OF_USER = { ...EVENT, userId: '<uuid>' };
export const OF_SESSION = { ...OF_USER, sessionId: '<sid>' };
export const BY_SECRET = { client_auth_method: 'client-secret' };
export const USERNAME = 'user-<uuid>';

/** `act` prepares the test case and returns the action that causes the events. */
export const eventsOf = (
  title: string,
  act: (server: ContractServer) => Promise<() => Promise<unknown>>,
  answer: readonly object[],
): ContractCase => ({
  title,
  async ask(server) {
    const own = await server.ownRealm();
    return userEvents(own, await act(own));
  },
  answer,
});

export async function loginByCode(server: ContractServer) {
  const [username, client] = [await server.newUser('order-manager'), await server.newClient('web')];
  const browser = new LoginBrowser(server);
  const redeem = (code: string) =>
    token(
      server,
      { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: VERIFIER },
      callerOf(client),
    );
  return { username, client, browser, redeem };
}

/** These actions end sessions or tokens, but cause no SSF event in Keycloak 26.7. */
import { claimsOf } from './demo-realm.js';
import type { ContractCase } from './expectations.js';
import { receiverAt, withReceiver } from './receivers.js';
import { clientCredentials, login, refresh, revoke, textOf, type Reply } from './requests.js';
import { logOutInBrowser, type LogoutParameters } from './ssf-event-cases.js';
import { callerOf, type ContractServer } from './server.js';

const silent = (
  title: string,
  act: (own: ContractServer, username: string, tokens: Reply) => Promise<unknown>,
): ContractCase => ({
  title,
  ask: (server) =>
    withReceiver(server, {}, async (receiver, own) => {
      const username = await own.newUser('order-manager');
      await act(own, username, await login(own, username));
      // The poll uses a new token, since some actions invalidate the receiver's token.
      return receiverAt(own, receiver).polled();
    }),
  answer: [],
});

/** A logout without a redirect causes no SSF event, since Keycloak's logout event then has no details. */
const inBrowser = (title: string, more: LogoutParameters): ContractCase => ({
  title,
  ask: (server) =>
    withReceiver(server, {}, async ({ polled }, own) => [(await logOutInBrowser(own, more)).isActive, await polled()]),
  answer: [false, []],
});

const DEMO = { client_id: 'demo-cli' };

const idOf = async (own: ContractServer, clientId: string): Promise<string> => {
  const [client] = await own.administrator.read<{ id: string }[]>(`/clients?clientId=${clientId}`);
  return client?.id ?? '';
};

async function withNotBefore(own: ContractServer, path: string, push: string): Promise<void> {
  const change = (notBefore: number) => own.administrator.change('PUT', path, { notBefore });
  await change(Math.floor(Date.now() / 1000));
  await own.administrator.change('POST', push);
  await change(0);
}

export const SSF_SILENCE_CASES: readonly ContractCase[] = [
  inBrowser('a logout in a browser without an address to return to', (_, tokens) => ({
    id_token_hint: textOf(tokens, 'id_token'),
  })),
  inBrowser('a logout in a browser that the user confirms, without an address to return to', () => ({})),
  silent('one session that an administrator ends', (own, _, tokens) =>
    own.endSession(String(claimsOf(textOf(tokens))['sid'])),
  ),
  silent('all sessions of the realm that an administrator ends', (own) =>
    own.administrator.change('POST', '/logout-all'),
  ),
  silent('a user who is disabled', (own, username) => own.disableUser(username)),
  silent('a user who is deleted', async (own, username) =>
    own.administrator.change('DELETE', `/users/${await own.subjectOf(username)}`),
  ),
  silent('a password that is changed in an update of the user', (own, username) =>
    own.changeUser(username, { credentials: [{ type: 'password', value: 'another', temporary: false }] }),
  ),
  silent('a role that a user loses', (own, username) => own.takeRole(username, 'order-manager')),
  silent('a revoked refresh token', (own, _, tokens) => revoke(own, undefined, textOf(tokens, 'refresh_token'), DEMO)),
  silent('a revoked access token', (own, _, tokens) => revoke(own, undefined, textOf(tokens), DEMO)),
  silent('the second use of a refresh token', async (own, _, tokens) => {
    await refresh(own, textOf(tokens, 'refresh_token'));
    await refresh(own, textOf(tokens, 'refresh_token'));
  }),
  silent('a client that is disabled, with a service account', async (own) => {
    const client = await own.newClient('service');
    await clientCredentials(own, callerOf(client));
    await own.disableClient(client);
  }),
  silent('a client that is deleted', async (own) =>
    own.administrator.change('DELETE', `/clients/${await idOf(own, await own.newClient('service'))}`),
  ),
  silent('a new secret of a client', async (own) =>
    own.administrator.change('POST', `/clients/${await idOf(own, await own.newClient('service'))}/client-secret`),
  ),
  silent('a new notBefore of a client', async (own) => {
    const path = `/clients/${await idOf(own, 'demo-cli')}`;
    await withNotBefore(own, path, `${path}/push-revocation`);
  }),
  silent('a new notBefore of the realm', (own) => withNotBefore(own, '', '/push-revocation')),
];

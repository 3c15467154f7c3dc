/** These acts of a user need a real Keycloak. */
import { randomUUID } from 'node:crypto';
import { testServer } from 'keycloak-test-servers';
import { redeem, tokensFor } from '../../libs/keycloak-test-servers/contract/code-cases.js';
import { codeOf, LoginBrowser, VERIFIER } from '../../libs/keycloak-test-servers/contract/login-browser.js';
import { request, textOf, token, type Reply } from '../../libs/keycloak-test-servers/contract/requests.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import type { Page } from '../../libs/keycloak-test-servers/contract/browser.js';
import { pathOf } from '../../libs/keycloak-test-servers/contract/token-sets.js';
import { newSubject, subjectOf, type Act, type MakeSubject } from './session-subject.js';

export const hasAccounts = (): boolean => testServer().kind !== 'embedded';

export const consentingSubject: MakeSubject = async (server) => {
  const [username, client] = [await server.newUser('order-manager'), await server.newClient('web with consent')];
  const browser = new LoginBrowser(server);
  const asked = await followed(server, browser, await browser.login(client, username));
  return subjectOf(username, await redeem(server, client, codeOf(await browser.submit(asked, { accept: 'Yes' }))));
};

export const withdrawConsent: Act = ({ path, client }, { administrator }) =>
  administrator.change('DELETE', `${path}/consents/${client}`);

export const offlineSubject: MakeSubject = async (server) =>
  newSubject(server, { client: await server.newClient('offline login'), scope: 'openid orders.read offline_access' });

const endSessionInConsole: Act = ({ username, sid }, server) => deleteInConsole(server, username, `/sessions/${sid}`);

const endOtherSessionsInConsole: Act = ({ username }, server) => deleteInConsole(server, username, '/sessions');

export const CONSOLE_ACTS: readonly [string, Act][] = [
  ['a session that its user ends in the account console', endSessionInConsole],
  ['a user who signs out everywhere in the account console', endOtherSessionsInConsole],
];

export const changePassword: Act = async ({ username }, server) => {
  const browser = new LoginBrowser(server);
  const client = await server.newClient('web');
  await tokensFor(server, client, browser, username);
  const form = await followed(server, browser, await browser.authorize(client, { kc_action: 'UPDATE_PASSWORD' }));
  const fields = { 'password-new': 'another', 'password-confirm': 'another', 'logout-sessions': 'on' };
  const done = await browser.submit(form, fields);
  if (done.status !== 302) throw new Error(`The new password was answered with ${done.status}`);
};

export const removePassword: Act = async ({ path }, { administrator }) => {
  const [credential] = await administrator.read<{ id: string }[]>(`${path}/credentials`);
  await administrator.change('DELETE', `${path}/credentials/${credential?.id}`);
};

export const leaveGroup: Act = async ({ path }, { administrator }) => {
  const group = await administrator.create('/groups', { name: `group-${randomUUID()}` });
  await administrator.change('PUT', path + group);
  await administrator.change('DELETE', path + group);
};

async function followed(server: ContractServer, browser: LoginBrowser, page: Page): Promise<Page> {
  const to = page.headers.get('location');
  return to === null ? page : browser.get(to.slice(server.issuer.length));
}

async function deleteInConsole(server: ContractServer, username: string, path: string) {
  // Without the Accept header Keycloak returns the HTML page of the account console.
  const accept = 'application/json';
  const headers = { accept, authorization: `Bearer ${textOf(await consoleTokens(server, username))}` };
  const { status, text } = await request(server, `/account${path}`, { method: 'DELETE', headers });
  if (status !== 204) throw new Error(`The account API answered ${status}: ${text}`);
}

async function consoleTokens(server: ContractServer, username: string): Promise<Reply> {
  const client_id = 'account-console';
  await giveRolesTo(server, client_id);
  const redirect_uri = `${server.issuer}/account/`;
  const code = codeOf(await new LoginBrowser(server).login(client_id, username, { redirect_uri, scope: 'openid' }));
  return token(server, {
    grant_type: 'authorization_code',
    client_id,
    redirect_uri,
    code,
    code_verifier: VERIFIER,
  });
}

/** Adds the scope `roles`, because the demo realm file names no default scopes for new clients. */
async function giveRolesTo(server: ContractServer, client: string): Promise<void> {
  const { administrator } = server;
  const scopes = await administrator.read<{ id: string; name: string }[]>('/client-scopes');
  const roles = scopes.find(({ name }) => name === 'roles');
  await administrator.change('PUT', `${await pathOf(server, client)}/default-client-scopes/${roles?.id}`);
}

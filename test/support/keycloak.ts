/** The server that the end-to-end tests run against, and the plain requests that a person would make to it. */
import { randomUUID } from 'node:crypto';
import { Administrator } from '../../libs/keycloak-test-servers/contract/administrator.js';
import {
  keycloakUrl,
  REALM,
  SECRETS,
  type ConfidentialClient,
} from '../../libs/keycloak-test-servers/contract/demo-realm.js';

export {
  claimsOf,
  describeOnKeycloak,
  issuer,
  keycloakReachesUs,
  keycloakUrl,
  publicUrl,
  REALM,
  SECRETS,
} from '../../libs/keycloak-test-servers/contract/demo-realm.js';

export interface TokenAnswer {
  readonly status: number;
  readonly access_token: string;
  readonly refresh_token: string;
  readonly id_token: string;
  readonly error?: string;
  readonly error_description?: string;
}

const basic = (client: ConfidentialClient): Record<string, string> => ({
  Authorization: `Basic ${Buffer.from(`${client}:${SECRETS[client]}`).toString('base64')}`,
});

async function post(path: string, form: Record<string, string>, headers = {}): Promise<TokenAnswer> {
  const response = await fetch(`${keycloakUrl()}${path}`, { method: 'POST', headers, body: new URLSearchParams(form) });
  const text = await response.text();
  return { status: response.status, ...(text === '' ? {} : (JSON.parse(text) as object)) } as TokenAnswer;
}

const endpoint = (name: string): string => `/realms/${REALM}/protocol/openid-connect/${name}`;

export function clientCredentials(client: ConfidentialClient, scope?: string): Promise<TokenAnswer> {
  const form = { grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) };
  return post(endpoint('token'), form, basic(client));
}

export function password(
  username: string,
  scope = 'openid orders.read',
  client_id = 'demo-cli',
  password_ = username,
): Promise<TokenAnswer> {
  return post(endpoint('token'), { grant_type: 'password', client_id, username, password: password_, scope });
}

export function exchange(
  client: ConfidentialClient,
  subject_token: string,
  audience: string,
  scope: string,
): Promise<TokenAnswer> {
  const type = 'urn:ietf:params:oauth:token-type:access_token';
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token,
    subject_token_type: type,
    requested_token_type: type,
    audience,
    scope,
  };
  return post(endpoint('token'), form, basic(client));
}

export function revoke(client: ConfidentialClient, token: string): Promise<TokenAnswer> {
  return post(endpoint('revoke'), { token }, basic(client));
}

export function logout(refresh_token: string): Promise<TokenAnswer> {
  return post(endpoint('logout'), { client_id: 'demo-cli', refresh_token });
}

const administrator = (): Administrator => new Administrator(keycloakUrl(), REALM);

/** A token of the realm `master`: a good one, of another issuer. */
export const tokenOfAnotherRealm = (): Promise<string> => administrator().token();

/** A public client like demo-cli whose tokens live `seconds`. Gives its client id. */
export async function createShortLivedClient(seconds: number): Promise<string> {
  const clientId = `short-lived-${randomUUID()}`;
  await administrator().create('/clients', {
    clientId,
    publicClient: true,
    directAccessGrantsEnabled: true,
    fullScopeAllowed: false,
    defaultClientScopes: ['basic', 'roles', 'profile', 'email'],
    optionalClientScopes: ['orders.read'],
    attributes: { 'access.token.lifespan': String(seconds) },
  });
  return clientId;
}

/** A user whose password equals the name, with the role order-viewer. Gives its id. */
export async function createUser(username: string): Promise<string> {
  const profile = { email: `${username}@example.com`, emailVerified: true, firstName: 'Test', lastName: 'User' };
  const credentials = [{ type: 'password', value: username, temporary: false }];
  const admin = administrator();
  const path = await admin.create('/users', { username, enabled: true, credentials, ...profile });
  await admin.change('POST', `${path}/role-mappings/realm`, [await admin.read<object>('/roles/order-viewer')]);
  return path.split('/').at(-1) ?? '';
}

export async function updateUser(id: string, change: Readonly<Record<string, unknown>>): Promise<void> {
  const admin = administrator();
  await admin.change('PUT', `/users/${id}`, { ...(await admin.read<object>(`/users/${id}`)), ...change });
}

export const allowRenaming = (): Promise<void> => administrator().change('PUT', '', { editUsernameAllowed: true });

/** What Service A is told of a token. */
export async function isActive(token: string): Promise<boolean> {
  const answer = await post(endpoint('token/introspect'), { token }, basic('service-a'));
  return 'active' in answer && answer.active === true;
}

/** Ends one session as an administrator does in the console. */
export const endSession = (sid: string): Promise<void> => administrator().change('DELETE', `/sessions/${sid}`);

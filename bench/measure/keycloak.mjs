import { keycloakProcesses, yieldToOthers } from './priority.mjs';
import { DESCRIPTION, realmEnvironment, REALM_FILE } from '../../scripts/start/services.mjs';

export const SECRETS = Object.fromEntries(
  Object.entries(DESCRIPTION.services).map(([name, { demoSecret }]) => [name, demoSecret]),
);

/** Java's default options let Keycloak answer more requests per second. */
const ENVIRONMENT = (thisMachine) => ({ ...realmEnvironment({}, 3000)(thisMachine), JAVA_OPTS_APPEND: '' });

export async function findKeycloak({ say, signal }) {
  const { startTestServer } = await import('../../libs/keycloak-test-servers/dist/index.js');
  const others = keycloakProcesses();
  const options = { realm: REALM_FILE, environment: ENVIRONMENT, onProgress: say, signal };
  const keycloak = await startTestServer(options, process.env.AUTHORIZATION_SERVER || 'keycloak');
  const isOurs = keycloak.kind === 'docker' || keycloak.kind === 'distribution';
  if (isOurs) say(yieldToOthers(new Set([...keycloakProcesses()].filter((pid) => !others.has(pid)))));
  return keycloak;
}

export async function ownKeycloak({ say, signal, port }) {
  const { startKeycloak } = await import('../../libs/keycloak-test-servers/dist/index.js');
  return startKeycloak({
    realm: REALM_FILE,
    environment: ENVIRONMENT,
    onProgress: say,
    signal,
    ...(port === undefined ? {} : { port }),
  });
}

export async function passwordToken(keycloak, username = 'alice') {
  return (await login(keycloak, username)).access_token;
}

export async function loginTokens(keycloak, { username = 'alice', client = 'demo-cli' } = {}) {
  const { access_token, refresh_token, id_token } = await login(keycloak, username, client);
  return { accessToken: access_token, refreshToken: refresh_token, idToken: id_token };
}

function login(keycloak, username, client_id = 'demo-cli') {
  const form = { grant_type: 'password', client_id, username, password: username };
  return answer(keycloak, { ...form, scope: 'openid orders.read' });
}

export const clientToken = (keycloak, client, scope) =>
  clientGrant(keycloak, client, { grant_type: 'client_credentials', scope });

export const exchangedToken = (keycloak, client, subject_token, asked) =>
  clientGrant(keycloak, client, {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    ...asked,
  });

export const clientGrant = async (keycloak, client, form) => (await clientTokens(keycloak, client, form)).access_token;

export function clientTokens(keycloak, client, form) {
  const basic = Buffer.from(`${client}:${SECRETS[client]}`).toString('base64');
  return answer(keycloak, form, { authorization: `Basic ${basic}` });
}

export const publicTokens = (keycloak, form) => answer(keycloak, form);

async function answer({ baseUrl, realm }, form, headers = {}) {
  const url = `${baseUrl}/realms/${realm}/protocol/openid-connect/token`;
  const response = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(form) });
  const answered = await response.json();
  if (!response.ok) throw new Error(`Keycloak gave no token: ${response.status} ${answered.error}`);
  return answered;
}

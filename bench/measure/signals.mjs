import { randomUUID } from 'node:crypto';
import { freePort } from '../../libs/keycloak-test-servers/dist/index.js';
import { administratorOf } from '../../scripts/start/running-keycloak.mjs';
import { poller } from '../../scripts/start/services.mjs';
import { pollerEnvironment } from '../../scripts/start/signals.mjs';
import { SECRETS } from './keycloak.mjs';
import { startProcess } from './processes.mjs';
import { logInAtConsole } from './user-login.mjs';

/** `ends` has the letters of the services that must refuse the token. */
export const CAUSES = [
  { cause: 'a logout by the refresh token', ends: 'abc', act: (realm, user) => realm.post('logout', user) },
  {
    cause: 'a session that an administrator ends',
    ends: 'abc',
    act: (realm, { sid }) => realm.change('DELETE', `/sessions/${sid}`),
  },
  {
    cause: 'a user whom an administrator signs out',
    ends: 'abc',
    act: (realm, { id }) => realm.change('POST', `/users/${id}/logout`),
  },
  {
    cause: 'a user who is disabled',
    ends: 'abc',
    act: (realm, { id }) => realm.change('PUT', `/users/${id}`, { enabled: false }),
  },
  { cause: 'a user who is deleted', ends: 'abc', act: (realm, { id }) => realm.change('DELETE', `/users/${id}`) },
  { cause: 'a refresh token that is revoked', ends: 'abc', act: (realm, user) => realm.post('revoke', user) },
  {
    cause: 'an access token that is revoked',
    ends: 'a',
    act: (realm, { a }) => realm.post('revoke', { refresh: a }),
  },
  { cause: 'all sessions of the realm, ended', ends: 'abc', act: (realm) => realm.change('POST', '/logout-all') },
  {
    cause: 'a session that its user ends in the account console',
    ends: 'abc',
    prepare: async (realm, { username }) => ({ console: await realm.logInAtConsole(username) }),
    act: (realm, { sid, console }) => realm.endInConsole(sid, console),
  },
  {
    cause: 'a user who is locked out for good',
    ends: 'abc',
    act: (realm, { username }) => realm.guessWrong(username),
  },
  {
    cause: 'a notBefore of the realm',
    ends: 'abc',
    // `notBefore` is in whole seconds, so only the next second revokes all tokens that exist now.
    act: (realm) => realm.change('PUT', '', { notBefore: Math.floor(Date.now() / 1000) + 1 }),
  },
];

export async function startPoller(keycloak, env, signal) {
  const service = { ...poller({}), port: await freePort() };
  const environment = { ...pollerEnvironment(service, { keycloak, environment: env }), NODE_ENV: 'test' };
  return startProcess(service.name, [`apps/${service.name}/dist/main.js`], {
    env: environment,
    healthUrl: `http://127.0.0.1:${service.port}/health/ready`,
    aside: true,
    signal,
  });
}

/** `settings` has further settings of the realm. */
export async function preparedRealm(keycloak, settings = {}) {
  // Gets a new administrator token each time, since a token expires during a round.
  const administrator = () =>
    administratorOf({
      AUTHORIZATION_SERVER: keycloak.issuer,
      KC_BOOTSTRAP_ADMIN_USERNAME: keycloak.adminUsername,
      KC_BOOTSTRAP_ADMIN_PASSWORD: keycloak.adminPassword,
    });
  const read = async (path) => (await administrator()).read(path);
  const change = async (...given) => (await administrator()).change(...given);
  const clientNamed = async (clientId) => (await read(`/clients?clientId=${clientId}`))[0];
  const before = await read('');
  const [serviceA, serviceB, listener] = [
    await clientNamed('service-a'),
    await clientNamed('service-b'),
    await clientNamed(poller({}).name),
  ];
  const role = await read('/roles/order-manager');
  const accountConsole = await clientNamed('account-console');
  const hasRoles = accountConsole.defaultClientScopes.includes('roles');
  const roles = (await read('/client-scopes')).find(({ name }) => name === 'roles');
  const consoleRoles = `/clients/${accountConsole.id}/default-client-scopes/${roles.id}`;
  const locks = { permanentLockout: true, failureFactor: 1 };
  const changed = { eventsEnabled: true, adminEventsEnabled: true, ...locks, ...settings };
  await change('PUT', '', changed);
  // The account API requires roles in the token.
  await change('PUT', consoleRoles);
  await change('PUT', `/clients/${listener.id}`, { ...listener, enabled: true });
  const lifespan = String(settings.accessTokenLifespan ?? 300);
  const attributes = { ...serviceB.attributes, 'access.token.lifespan': lifespan };
  await change('PUT', `/clients/${serviceB.id}`, { ...serviceB, attributes });
  return {
    read,
    change,
    redirectUri: serviceA.redirectUris[0],
    async newUser() {
      const username = `ended-${randomUUID().slice(0, 8)}`;
      const credentials = [{ type: 'password', value: username, temporary: false }];
      const profile = { email: `${username}@example.com`, firstName: 'An', lastName: 'Other', emailVerified: true };
      await change('POST', '/users', { username, ...profile, enabled: true, credentials });
      const [{ id }] = await read(`/users?username=${username}&exact=true`);
      await change('POST', `/users/${id}/role-mappings/realm`, [role]);
      return { id, username };
    },
    async post(endpoint, { refresh }) {
      const basic = Buffer.from(`service-a:${SECRETS['service-a']}`).toString('base64');
      const body = new URLSearchParams(endpoint === 'logout' ? { refresh_token: refresh } : { token: refresh });
      const url = `${keycloak.issuer}/protocol/openid-connect/${endpoint}`;
      const answer = await fetch(url, { method: 'POST', headers: { authorization: `Basic ${basic}` }, body });
      if (!answer.ok) throw new Error(`${endpoint} answers ${answer.status}`);
    },
    logInAtConsole: (username) => logInAtConsole(keycloak, username),
    async endInConsole(sid, token) {
      const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
      const answer = await fetch(`${keycloak.issuer}/account/sessions/${sid}`, { method: 'DELETE', headers });
      if (!answer.ok) throw new Error(`The account API answers ${answer.status}`);
    },
    async guessWrong(username) {
      const form = { grant_type: 'password', client_id: 'demo-cli', username, password: 'a wrong one' };
      const url = `${keycloak.issuer}/protocol/openid-connect/token`;
      const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
      if (answer.ok) throw new Error('Keycloak accepts a wrong password');
    },
    async restore() {
      const restored = Object.fromEntries(Object.keys(changed).map((name) => [name, before[name]]));
      await change('PUT', '', { ...restored, notBefore: 0 });
      if (!hasRoles) await change('DELETE', consoleRoles);
      await change('PUT', `/clients/${listener.id}`, listener);
      await change('PUT', `/clients/${serviceB.id}`, serviceB);
    },
  };
}

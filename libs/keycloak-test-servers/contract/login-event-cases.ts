import type { ContractCase } from './expectations.js';
import { BY_SECRET, EVENT, eventsOf, loginByCode, OF_SESSION, OF_USER, USERNAME } from './expected-events.js';
import { login } from './requests.js';
import { readUserEvents } from './seen-events.js';
import { CALLBACK, type ContractServer } from './server.js';

const wrongPassword = (server: ContractServer, username: string) =>
  login(server, username, 'openid', 'demo-cli', 'wrong');

const failedLogin = (error: string, more: object = { userId: '<uuid>' }, username = USERNAME) => ({
  ...EVENT,
  ...more,
  type: 'LOGIN_ERROR',
  clientId: 'demo-cli',
  error,
  details: { ...BY_SECRET, auth_method: 'openid-connect', grant_type: 'password', username },
});

const WEB_LOGIN = {
  ...OF_SESSION,
  type: 'LOGIN',
  clientId: 'client-<uuid>',
  details: {
    auth_method: 'openid-connect',
    auth_type: 'code',
    response_type: 'code',
    response_mode: 'query',
    redirect_uri: CALLBACK,
    consent: 'no_consent_required',
    username: USERNAME,
  },
};

const failedForm = (error: string, more: object, username = USERNAME) => ({
  ...EVENT,
  ...more,
  type: 'LOGIN_ERROR',
  clientId: 'client-<uuid>',
  error,
  details: { auth_method: 'openid-connect', auth_type: 'code', redirect_uri: CALLBACK, username },
});

/** Waits, since Keycloak records a lockout only after the answer to the login. */
async function until(server: ContractServer, type: string): Promise<void> {
  for (let tries = 0; tries < 2000; tries += 1) {
    if ((await readUserEvents(server, `&type=${type}`)).length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`The log has no event of the type ${type}`);
}

const lockedOut = (title: string, permanentLockout: boolean, details: object): ContractCase => {
  const type = `USER_DISABLED_BY_${permanentLockout ? 'PERMANENT' : 'TEMPORARY'}_LOCKOUT`;
  return eventsOf(
    title,
    async (server) => {
      const username = await server.newUser('order-manager');
      return async () => {
        // Allows only one failure, because Keycloak may count one failure twice.
        await server.administrator.change('PUT', '', { permanentLockout, failureFactor: 1 });
        await wrongPassword(server, username);
        await until(server, type);
        await login(server, username);
        await server.administrator.change('PUT', '', { permanentLockout: false, failureFactor: 10 });
      };
    },
    [
      failedLogin('invalid_user_credentials'),
      {
        ...OF_USER,
        type,
        details: { reason: 'brute_force_attack detected', num_failures: '1', ...details },
      },
      failedLogin(permanentLockout ? 'user_disabled' : 'user_temporarily_disabled'),
    ],
  );
};

export const LOGIN_EVENT_CASES: readonly ContractCase[] = [
  eventsOf(
    'a login by password',
    async (server) => {
      const username = await server.newUser('order-manager');
      return () => login(server, username);
    },
    [
      {
        ...OF_SESSION,
        type: 'LOGIN',
        clientId: 'demo-cli',
        details: {
          ...BY_SECRET,
          auth_method: 'openid-connect',
          grant_type: 'password',
          token_id: 'onrtro:<uuid>',
          refresh_token_id: '<uuid>',
          refresh_token_type: 'Refresh',
          scope: ['email', 'openid', 'orders.read', 'profile'],
          username: USERNAME,
        },
      },
    ],
  ),
  eventsOf(
    'a login with a wrong password, and a login of an unknown user',
    async (server) => {
      const username = await server.newUser('order-manager');
      return async () => {
        await wrongPassword(server, username);
        await login(server, 'nobody');
      };
    },
    [failedLogin('invalid_user_credentials'), failedLogin('user_not_found', {}, 'nobody')],
  ),
  eventsOf(
    'a login of a disabled user',
    async (server) => {
      const username = await server.newUser('order-manager');
      await server.disableUser(username);
      return () => login(server, username);
    },
    [failedLogin('user_disabled')],
  ),
  lockedOut('too many wrong passwords, so that the user must wait', false, { not_before: '9999-99-99T99:99:99' }),
  lockedOut('too many wrong passwords, so that the user is disabled', true, {}),
  eventsOf(
    'a login in a browser, by the form and then by the session',
    async (server) => {
      const { username, client, browser } = await loginByCode(server);
      return async () => {
        const form = await browser.authorize(client);
        const again = await browser.fill(form, username, 'wrong');
        await browser.fill(await browser.fill(again, 'nobody', 'wrong'), username);
        await browser.authorize(client);
      };
    },
    [
      failedForm('invalid_user_credentials', { userId: '<uuid>' }),
      failedForm('user_not_found', {}, 'nobody'),
      WEB_LOGIN,
      WEB_LOGIN,
    ],
  ),
  eventsOf(
    'a login of a disabled user in a browser',
    async (server) => {
      const { username, client, browser } = await loginByCode(server);
      await server.disableUser(username);
      return async () => browser.fill(await browser.authorize(client), username);
    },
    [failedForm('user_disabled', { userId: '<uuid>' })],
  ),
];

import { randomUUID } from 'node:crypto';
import { refused, type ContractCase } from './expectations.js';
import { answer, askAdministrator } from './observations.js';
import { login } from './requests.js';
import type { ContractServer } from './server.js';
import { pathOf, refreshed, states, tokensOf } from './token-sets.js';

const DONE = { status: 204 };
const REFRESHED = 200;
const WRONG_PASSWORD = refused(400, 'invalid_grant', 'Invalid user credentials');

interface SeenUser {
  readonly enabled: boolean;
  readonly attributes?: unknown;
}

/** Keycloak disables the user only after it has answered the login. */
async function disabledUser({ administrator }: ContractServer, path: string): Promise<SeenUser> {
  for (let tries = 0; tries < 2000; tries += 1) {
    const user = await administrator.read<SeenUser>(path);
    if (!user.enabled) return user;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${path} stayed enabled`);
}

export const ACCOUNT_CASES: readonly ContractCase[] = [
  {
    title: 'a permanent lockout after wrong passwords: the tokens of the user are invalid',
    async ask(server) {
      const own = await server.ownRealm();
      const tokens = await tokensOf(own);
      const { username } = tokens;
      await own.administrator.change('PUT', '', { permanentLockout: true, failureFactor: 2 });
      await login(own, username, 'openid', 'demo-cli', 'wrong');
      const first = await states(own, tokens);
      await login(own, username, 'openid', 'demo-cli', 'wrong');
      const path = `/users/${await own.subjectOf(username)}`;
      const { enabled, attributes } = await disabledUser(own, path);
      const second = [await states(own, tokens), answer(own, await login(own, username))];
      await own.administrator.change('PUT', '', { permanentLockout: false, failureFactor: 10 });
      await own.administrator.change('PUT', path, { enabled: true });
      return [first, second, enabled, attributes, (await login(own, username)).status];
    },
    answer: [
      [true, true, true, true],
      [[false, false, false, true], WRONG_PASSWORD],
      false,
      { disabledReason: ['permanentLockout'] },
      200,
    ],
  },
  {
    title: 'a deleted client: the tokens of the client are invalid, and exchanged tokens of other clients stay valid',
    async ask(server) {
      const own = await server.ownRealm();
      const client = await own.newClient('login');
      const tokens = await tokensOf(own, client);
      await own.administrator.change('DELETE', await pathOf(own, client));
      return states(own, tokens);
    },
    answer: [false, true, true, true],
  },
  {
    title: 'a new password: tokens and sessions stay valid',
    async ask(server) {
      const own = await server.ownRealm();
      const tokens = await tokensOf(own);
      const { username } = tokens;
      const path = `/users/${await own.subjectOf(username)}/reset-password`;
      const put = (body: object) => askAdministrator(own, 'PUT', path, body);
      const password = randomUUID();
      return [
        await put({ type: 'password' }),
        await put({ type: 'password', value: '' }),
        await askAdministrator(own, 'PUT', '/users/no-such/reset-password', { value: password }),
        await put({ type: 'password', value: password, temporary: false }),
        await states(own, tokens),
        await refreshed(own, tokens),
        answer(own, await login(own, username)),
        (await login(own, username, 'openid', 'demo-cli', password)).status,
      ];
    },
    answer: [
      { status: 400, json: { error: 'No password provided' } },
      { status: 400, json: { error: 'Empty password not allowed' } },
      { status: 404, json: { error: 'User not found' } },
      DONE,
      [true, true, true, true],
      REFRESHED,
      WRONG_PASSWORD,
      200,
    ],
  },
];

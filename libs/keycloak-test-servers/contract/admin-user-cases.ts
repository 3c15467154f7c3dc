import { randomUUID } from 'node:crypto';
import { INACTIVE, INVALID_TOKEN, refused, type ContractCase } from './expectations.js';
import { administered, answer, askAdministrator, claims, isActive } from './observations.js';
import { clientCredentials, exchange, introspect, login, textOf, token } from './requests.js';
import { callerOf, type ContractServer } from './server.js';

const SHOWN = ['username', 'firstName', 'lastName', 'email', 'emailVerified', 'enabled', 'notBefore'];
const NO_USER = { status: 404, json: { error: 'User not found' } };
const DONE = { status: 204 };
const taken = (what: string) => ({ status: 409, json: { errorMessage: `User exists with same ${what}` } });

interface Made {
  readonly path: string;
  readonly username: string;
}

const userOf = (username: string) => ({
  username,
  enabled: true,
  email: `${username}@example.com`,
  firstName: 'Test',
  lastName: 'User',
  credentials: [{ type: 'password', value: username, temporary: false }],
});

function withUser<T>({ administrator }: ContractServer, use: (made: Made) => Promise<T>): Promise<T> {
  const username = `user-${randomUUID()}`;
  return administrator.having('/users', userOf(username), (path) => use({ path, username }));
}

const rolesOf = async ({ administrator }: ContractServer, path: string): Promise<string[]> =>
  (await administrator.read<{ name: string }[]>(`${path}/role-mappings/realm`))
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('default-roles-'));

export const ADMIN_USER_CASES: readonly ContractCase[] = [
  {
    title: 'the creation of a user returns a location, and a GET of the location returns the user',
    async ask(server) {
      const name = `User-${randomUUID()}`;
      const made = await server.administrator.ask('POST', '/users', {
        body: { ...userOf(name), email: `${name}@A.example` },
      });
      const path = `/users/${made.headers.get('location')?.split('/').at(-1)}`;
      const { username, email, ...shown } = await server.administrator.read<Record<string, unknown>>(path);
      await server.administrator.change('DELETE', path);
      return [
        await administered(server, made),
        username === name.toLowerCase(),
        email === `${name}@A.example`.toLowerCase(),
        SHOWN.map((member) => shown[member]),
      ];
    },
    answer: [
      { status: 201, location: '<server>/admin/realms/microservices/users/<uuid>' },
      true,
      true,
      [undefined, 'Test', 'User', undefined, false, true, 0],
    ],
  },
  {
    title: 'a user needs a unique name and a unique e-mail address',
    ask: (server) =>
      withUser(server, async ({ username }) => [
        await askAdministrator(server, 'POST', '/users', {}),
        await askAdministrator(server, 'POST', '/users', { username }),
        await askAdministrator(server, 'POST', '/users', { username: username.toUpperCase() }),
        await askAdministrator(server, 'POST', '/users', userOf(username)),
        await askAdministrator(server, 'POST', '/users', {
          ...userOf(`${username}-2`),
          email: `${username}@example.com`,
        }),
      ]),
    answer: [
      { status: 400, json: { errorMessage: 'User name is missing' } },
      taken('username'),
      taken('username'),
      taken('email'),
      taken('email'),
    ],
  },
  {
    title: 'a new user has no roles, even if the request contains roles',
    ask: (server) =>
      withUser(server, async ({ username }) => {
        const path = await server.administrator.create('/users', {
          username: `${username}-2`,
          realmRoles: ['order-manager'],
        });
        const roles = await rolesOf(server, path);
        await server.administrator.change('DELETE', path);
        return roles;
      }),
    answer: [],
  },
  {
    title: 'a search finds users by the name or the e-mail address, or by a part of the name or address',
    ask: (server) =>
      withUser(server, async ({ username }) => {
        const found = async (query: string): Promise<number> =>
          (await server.administrator.read<object[]>(`/users?${query}`)).length;
        return [
          await found(`exact=true&username=${username}`),
          await found(`exact=true&username=${username.toUpperCase()}`),
          await found(`exact=true&username=${username.slice(0, -1)}`),
          await found(`username=${username.slice(0, -1)}`),
          await found(`exact=true&email=${username}@example.com`),
          await found(`exact=true&username=${username}&email=alice@example.com`),
          await found('exact=true&username=service-account-service-a'),
          await found('first=0&max=1'),
        ];
      }),
    answer: [1, 1, 0, 1, 1, 0, 1, 1],
  },
  {
    title: 'an update of a user keeps all members that are not in the body',
    ask: (server) =>
      withUser(server, async ({ path }) => [
        await askAdministrator(server, 'PUT', path, { enabled: false, firstName: 'Other' }),
        await askAdministrator(server, 'GET', path, undefined, ['enabled', 'firstName', 'lastName']),
        await askAdministrator(server, 'PUT', path, await server.administrator.read<object>(path)),
        await askAdministrator(server, 'GET', path, undefined, ['enabled', 'firstName', 'lastName']),
      ]),
    answer: [
      DONE,
      { status: 200, json: { enabled: false, firstName: 'Other', lastName: 'User' } },
      DONE,
      { status: 200, json: { enabled: false, firstName: 'Other', lastName: 'User' } },
    ],
  },
  {
    title: 'a user can be renamed to an unused name if the realm allows this, and keeps the subject',
    ask: (server) =>
      withUser(server, async ({ path, username }) => {
        await server.administrator.change('PUT', '', { editUsernameAllowed: true });
        const before = claims(await login(server, username))['sub'];
        const refusals = [
          await askAdministrator(server, 'PUT', path, { username: 'alice' }),
          await askAdministrator(server, 'PUT', path, { email: 'bob@example.com' }),
        ];
        const renamed = await askAdministrator(server, 'PUT', path, { username: `${username}-renamed` });
        const form = { grant_type: 'password', client_id: 'demo-cli', password: username };
        const after = claims(await token(server, { ...form, username: `${username}-renamed` }));
        return [refusals, renamed, after['sub'] === before, (await token(server, { ...form, username })).status];
      }),
    answer: [[taken('username'), taken('email')], DONE, true, 400],
  },
  {
    title: 'an update can change the password',
    ask: (server) =>
      withUser(server, async ({ path, username }) => {
        const credentials = [{ type: 'password', value: 'another', temporary: false }];
        const changed = await askAdministrator(server, 'PUT', path, { credentials });
        const form = { grant_type: 'password', client_id: 'demo-cli', username };
        return [
          changed,
          (await token(server, { ...form, password: 'another' })).status,
          (await token(server, { ...form, password: username })).status,
        ];
      }),
    answer: [DONE, 200, 400],
  },
  {
    title: 'the deletion of a user invalidates the tokens of the user and prevents new tokens',
    ask: (server) =>
      withUser(server, async ({ path, username }) => {
        const own = textOf(await login(server, username));
        return [
          await askAdministrator(server, 'DELETE', path),
          await askAdministrator(server, 'DELETE', path),
          answer(server, await introspect(server, 'service-a', own)),
          answer(server, await exchange(server, 'service-a', own)),
          answer(server, await login(server, username)),
        ];
      }),
    answer: [DONE, NO_USER, INACTIVE, INVALID_TOKEN, refused(400, 'invalid_grant', 'Invalid user credentials')],
  },
  {
    title: 'the logout of a service account makes all earlier tokens of the service account invalid',
    async ask(server) {
      const client = await server.newClient('service');
      const caller = callerOf(client);
      const newToken = async () => textOf(await clientCredentials(server, caller, 'orders.approve'));
      const before = await newToken();
      await new Promise((resolve) => setTimeout(resolve, 1100));
      await server.logOutUser(`service-account-${client}`);
      const after = await newToken();
      return [
        isActive(await introspect(server, 'service-b', before)),
        isActive(await introspect(server, 'service-b', after)),
      ];
    },
    answer: [false, true],
  },
  {
    title: 'a request for an unknown user is answered with 404',
    ask: async (server) =>
      Promise.all([
        askAdministrator(server, 'GET', '/users/no-such'),
        askAdministrator(server, 'PUT', '/users/no-such', {}),
        askAdministrator(server, 'POST', '/users/no-such/logout'),
        askAdministrator(server, 'GET', '/users/no-such/role-mappings/realm'),
        askAdministrator(server, 'POST', '/users/no-such/role-mappings/realm', []),
      ]),
    answer: [NO_USER, NO_USER, NO_USER, NO_USER, NO_USER],
  },
  {
    title: 'a request finds a role by the name of the role',
    ask: async (server) => [
      await askAdministrator(server, 'GET', '/roles/order-viewer', undefined, ['name', 'composite', 'clientRole']),
      await askAdministrator(server, 'GET', '/roles/no-such'),
    ],
    answer: [
      { status: 200, json: { name: 'order-viewer', composite: false, clientRole: false } },
      { status: 404, json: { error: 'Could not find role' } },
    ],
  },
  {
    title: 'a role can be assigned and removed, and a second assignment or removal has no effect',
    ask: (server) =>
      withUser(server, async ({ path }) => {
        const role = await server.administrator.read<object>('/roles/order-manager');
        const mappings = `${path}/role-mappings/realm`;
        return [
          await askAdministrator(server, 'POST', mappings, [role]),
          await askAdministrator(server, 'POST', mappings, [role]),
          await rolesOf(server, path),
          await askAdministrator(server, 'DELETE', mappings, [role]),
          await askAdministrator(server, 'DELETE', mappings, [role]),
          await rolesOf(server, path),
        ];
      }),
    answer: [DONE, DONE, ['order-manager'], DONE, DONE, []],
  },
  {
    title: 'a role is assigned only if the request has both the name and the id of the role',
    ask: (server) =>
      withUser(server, async ({ path }) => {
        const mappings = `${path}/role-mappings/realm`;
        return [
          await askAdministrator(server, 'POST', mappings, [{ name: 'order-manager' }]),
          await askAdministrator(server, 'POST', mappings, [{ name: 'order-manager', id: 'no-such' }]),
          await rolesOf(server, path),
        ];
      }),
    answer: [
      { status: 404, json: { error: 'Role not found' } },
      { status: 404, json: { error: 'Role not found' } },
      [],
    ],
  },
];

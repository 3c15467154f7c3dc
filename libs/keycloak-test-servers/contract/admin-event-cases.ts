import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContractCase } from './expectations.js';
import { login, textOf } from './requests.js';
import { adminEvents, whileRecording } from './seen-events.js';
import type { ContractServer } from './server.js';
import { claimsOf } from './demo-realm.js';

const EVENT = {
  id: '<uuid>',
  time: '<number>',
  realmId: '<uuid>',
  authDetails: { realmId: '<uuid>', clientId: '<uuid>', userId: '<uuid>', ipAddress: '<address>' },
};
const OF_USER = { ...EVENT, resourceType: 'USER', resourcePath: 'users/<uuid>' };
const OF_CLIENT = { ...EVENT, resourceType: 'CLIENT', resourcePath: 'clients/<uuid>' };
const OF_REALM = { ...EVENT, resourceType: 'REALM' };
const UPDATE = { operationType: 'UPDATE' };
const ACTION = { operationType: 'ACTION' };
const ROLE = {
  id: '<uuid>',
  name: 'order-viewer',
  composite: false,
  clientRole: false,
  containerId: '<uuid>',
  attributes: {},
};
const MASKED = '**********';

type Act = (server: ContractServer, path: string) => Promise<unknown>;

const changes = (
  title: string,
  [collection, body]: readonly ['/users' | '/clients', () => object],
  act: Act,
  answer: readonly object[],
): ContractCase => ({
  title,
  async ask(server) {
    const own = await server.ownRealm();
    return own.administrator.having(collection, body(), (path) => adminEvents(own, () => act(own, path)));
  },
  answer,
});

const USER = ['/users', () => ({ username: `user-${randomUUID()}`, enabled: true })] as const;
const CLIENT = [
  '/clients',
  () => ({ clientId: `client-${randomUUID()}`, secret: 'the-secret', publicClient: false }),
] as const;

const change =
  (method: 'POST' | 'PUT' | 'DELETE', below = '', body?: object): Act =>
  ({ administrator }, path) =>
    administrator.change(method, `${path}${below}`, body);

const ofRealm = (title: string, act: Act, answer: readonly object[]): ContractCase => ({
  title,
  async ask(server) {
    const own = await server.ownRealm();
    return adminEvents(own, () => act(own, ''));
  },
  answer,
});

const PASSWORD = { type: 'password', value: 'another', temporary: false };

export const ADMIN_EVENT_CASES: readonly ContractCase[] = [
  ofRealm(
    'a user that is created, without its password, and deleted',
    async ({ administrator }) => {
      const username = `user-${randomUUID()}`;
      const made = await administrator.create('/users', { username, enabled: true, credentials: [PASSWORD] });
      await administrator.change('DELETE', made);
    },
    [
      { ...OF_USER, operationType: 'CREATE', representation: { username: 'user-<uuid>', enabled: true } },
      { ...OF_USER, operationType: 'DELETE', representation: { id: '<uuid>', username: 'user-<uuid>' } },
    ],
  ),
  changes('a user that an administrator disables', USER, change('PUT', '', { enabled: false }), [
    { ...OF_USER, ...UPDATE, representation: { enabled: false } },
  ]),
  changes(
    'a user whose password is changed in two ways: the events do not contain the password',
    USER,
    async ({ administrator }, path) => {
      await administrator.change('PUT', path, { firstName: 'Other', credentials: [PASSWORD] });
      await administrator.change('PUT', `${path}/reset-password`, PASSWORD);
    },
    [
      { ...OF_USER, ...UPDATE, representation: { firstName: 'Other' } },
      { ...OF_USER, ...ACTION, resourcePath: 'users/<uuid>/reset-password' },
    ],
  ),
  changes('a user that an administrator logs out', USER, change('POST', '/logout'), [
    { ...OF_USER, ...ACTION, resourcePath: 'users/<uuid>/logout' },
  ]),
  changes(
    'a role that an administrator assigns to a user and then removes',
    USER,
    async ({ administrator }, path) => {
      const role = await administrator.read<object>('/roles/order-viewer');
      await administrator.change('POST', `${path}/role-mappings/realm`, [role]);
      await administrator.change('DELETE', `${path}/role-mappings/realm`, [role]);
    },
    ['CREATE', 'DELETE'].map((operationType) => ({
      ...EVENT,
      operationType,
      resourceType: 'REALM_ROLE_MAPPING',
      resourcePath: 'users/<uuid>/role-mappings/realm',
      representation: [ROLE],
    })),
  ),
  {
    title: 'a session that an administrator ends: the event has the sid',
    async ask(server) {
      const own = await server.ownRealm();
      const { sid } = claimsOf(textOf(await login(own, 'alice')));
      const events = await adminEvents(own, () => own.endSession(String(sid)));
      return whileRecording(own, async () => {
        const { sid: other } = claimsOf(textOf(await login(own, 'alice')));
        await own.endSession(String(other));
        const [{ resourcePath } = {}] = await own.administrator.read<{ resourcePath?: string }[]>('/admin-events');
        return [events, resourcePath === `sessions/${String(other)}`];
      });
    },
    answer: [
      [
        {
          ...EVENT,
          operationType: 'DELETE',
          resourceType: 'USER_SESSION',
          resourcePath: 'sessions/<sid>',
          representation: { offline: false },
        },
      ],
      true,
    ],
  },
  {
    title: 'a user that an administrator enables again after too many wrong passwords',
    async ask(server) {
      const own = await server.ownRealm();
      await own.administrator.change('PUT', '', { permanentLockout: true, failureFactor: 1 });
      const username = await own.newUser('order-viewer');
      const path = `/users/${await own.subjectOf(username)}`;
      await login(own, username, 'openid', 'demo-cli', 'wrong');
      while ((await own.administrator.read<{ enabled: boolean }>(path)).enabled) await sleep(20);
      await own.administrator.change('PUT', '', { permanentLockout: false, failureFactor: 10 });
      return adminEvents(own, () => own.administrator.change('PUT', path, { enabled: true }));
    },
    answer: [
      { ...OF_USER, operationType: 'DELETE', resourceType: 'USER_LOGIN_FAILURE' },
      { ...OF_USER, ...UPDATE, representation: { enabled: true } },
    ],
  },
  ofRealm(
    'a client that is created, without its secret, and deleted',
    async ({ administrator }) => {
      const clientId = `client-${randomUUID()}`;
      const made = await administrator.create('/clients', { clientId, secret: 'the-secret', publicClient: false });
      await administrator.change('DELETE', made);
    },
    [
      {
        ...OF_CLIENT,
        operationType: 'CREATE',
        representation: { id: '<uuid>', clientId: 'client-<uuid>', secret: MASKED, publicClient: false },
      },
      { ...OF_CLIENT, operationType: 'DELETE', representation: { id: '<uuid>', clientId: 'client-<uuid>' } },
    ],
  ),
  changes('a client that an administrator disables', CLIENT, change('PUT', '', { enabled: false }), [
    { ...OF_CLIENT, ...UPDATE, representation: { enabled: false } },
  ]),
  changes('a client whose secret an administrator changes', CLIENT, change('PUT', '', { secret: 'another' }), [
    { ...OF_CLIENT, ...UPDATE, representation: { secret: MASKED } },
  ]),
  changes('a client for which Keycloak generates a new secret', CLIENT, change('POST', '/client-secret'), [
    {
      ...OF_CLIENT,
      ...ACTION,
      resourcePath: 'clients/<uuid>/client-secret',
      representation: { type: 'secret', value: MASKED },
    },
  ]),
  changes(
    'a client whose tokens are revoked',
    CLIENT,
    async ({ administrator }, path) => {
      await administrator.change('PUT', path, { notBefore: 1 });
      await administrator.change('POST', `${path}/push-revocation`);
    },
    [
      { ...OF_CLIENT, ...UPDATE, representation: { notBefore: 1 } },
      { ...OF_CLIENT, ...ACTION, resourcePath: 'clients/<uuid>/push-revocation' },
    ],
  ),
  ofRealm(
    'a realm that an administrator changes: the event has no path',
    change('PUT', '', { accessTokenLifespan: 300 }),
    [{ ...OF_REALM, ...UPDATE, representation: { accessTokenLifespan: 300 } }],
  ),
  ofRealm(
    'the revocation of all tokens and the end of all sessions',
    async ({ administrator }) => {
      await administrator.change('PUT', '', { notBefore: 1 });
      await administrator.change('POST', '/push-revocation');
      await administrator.change('POST', '/logout-all');
      await administrator.change('PUT', '', { notBefore: 0 });
    },
    [
      { ...OF_REALM, ...UPDATE, representation: { notBefore: 1 } },
      { ...OF_REALM, ...ACTION, resourcePath: 'push-revocation', representation: {} },
      { ...OF_REALM, ...ACTION, resourcePath: 'logout-all', representation: {} },
      { ...OF_REALM, ...UPDATE, representation: { notBefore: 0 } },
    ],
  ),
  ofRealm(
    'a change of the event settings',
    ({ administrator }) =>
      administrator.change('PUT', '/events/config', { eventsEnabled: true, adminEventsEnabled: true }),
    [
      {
        ...OF_REALM,
        ...UPDATE,
        resourcePath: 'events/config',
        representation: { eventsEnabled: true, adminEventsEnabled: true },
      },
    ],
  ),
  {
    title: 'no event for a refused request, and no event for a read',
    async ask(server) {
      const own = await server.ownRealm();
      return adminEvents(own, async () => {
        await own.administrator.statusOf('PUT', '/users/no-such', { body: { enabled: false } });
        await own.administrator.statusOf('POST', '/users', { body: { username: 'alice' } });
        await own.administrator.statusOf('DELETE', '/sessions/no-such');
        await own.administrator.statusOf('GET', '/clients');
      });
    },
    answer: [],
  },
  {
    title: 'no representation if details are off; the change that turns events off is the last event',
    async ask(server) {
      const { administrator } = await server.ownRealm();
      const recorded = async (path: string, put: object): Promise<unknown> => {
        await administrator.change('DELETE', '/admin-events');
        await administrator.change('PUT', path, put);
        const events = await administrator.read<Record<string, unknown>[]>('/admin-events?direction=asc');
        return events.map(({ resourcePath, representation }) => [resourcePath, typeof representation]);
      };
      const config = '/events/config';
      return [
        await recorded(config, { adminEventsEnabled: true, adminEventsDetailsEnabled: true }),
        await recorded('', { accessTokenLifespan: 300 }),
        await recorded(config, { adminEventsEnabled: true, adminEventsDetailsEnabled: false }),
        await recorded('', { accessTokenLifespan: 300 }),
        await recorded('', { adminEventsEnabled: false }),
        await recorded('', { accessTokenLifespan: 300 }),
        await recorded('', { adminEventsEnabled: true }),
        await recorded(config, { adminEventsEnabled: false }),
        await recorded(config, { adminEventsEnabled: false }),
      ];
    },
    answer: [
      [['events/config', 'string']],
      [[undefined, 'string']],
      [['events/config', 'undefined']],
      [[undefined, 'undefined']],
      [[undefined, 'undefined']],
      [],
      [],
      [['events/config', 'undefined']],
      [],
    ],
  },
];

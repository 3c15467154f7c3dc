import { randomUUID } from 'node:crypto';
import type { ContractCase } from './expectations.js';
import { isActive } from './observations.js';
import { readerCaller } from './own-realm.js';
import { clientCredentials, exchangeForB, introspect, login, textOf } from './requests.js';
import type { ContractServer } from './server.js';

const USER = '/users/no-such';

const REQUESTS = [
  ['GET', '/users?exact=true&username=no-such'],
  ['GET', USER],
  ['PUT', USER],
  ['DELETE', USER],
  ['PUT', `${USER}/reset-password`],
  ['POST', `${USER}/logout`],
  ['GET', `${USER}/role-mappings/realm`],
  ['GET', `${USER}/role-mappings/realm/available`],
  ['POST', `${USER}/role-mappings/realm`],
  ['DELETE', '/sessions/no-such'],
  ['GET', '/roles/order-manager'],
  ['GET', '/clients'],
  ['POST', '/clients'],
  ['PUT', ''],
  ['GET', '/events'],
] as const;

const bodyOf = (method: string, path: string): object | undefined => {
  if (path.endsWith('/role-mappings/realm') && method === 'POST') return [];
  return method === 'PUT' ? {} : undefined;
};

async function managerOf(server: ContractServer) {
  const authorization = `Bearer ${textOf(await clientCredentials(server, readerCaller('user-manager')))}`;
  return {
    ask: (method: string, path: string, body?: object): Promise<Response> =>
      server.administrator.ask(method, path, { authorization, body }),
  };
}

interface NamedRole {
  readonly name: string;
}

export const USER_MANAGER_CASES: readonly ContractCase[] = [
  {
    title: 'has access to users and sessions of users, but not to roles, clients, events and the realm',
    async ask(server) {
      const manager = await managerOf(await server.ownRealm());
      const statuses = [];
      for (const [method, path] of REQUESTS) {
        const response = await manager.ask(method, path, bodyOf(method, path));
        await response.body?.cancel();
        statuses.push(response.status);
      }
      return statuses;
    },
    answer: [200, 404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403, 403],
  },
  {
    title: 'may create a user, assign an available role to the user, disable the user and delete the user',
    async ask(server) {
      const own = await server.ownRealm();
      const manager = await managerOf(own);
      const username = `user-${randomUUID()}`;
      const credentials = [{ type: 'password', value: username, temporary: false }];
      const [email, firstName, lastName] = [`${username}@example.com`, 'Test', 'User'];
      const created = await manager.ask('POST', '/users', {
        username,
        enabled: true,
        email,
        firstName,
        lastName,
        credentials,
      });
      const path = `/users/${created.headers.get('location')?.split('/').at(-1)}`;
      const available = async (): Promise<readonly NamedRole[]> => {
        const response = await manager.ask('GET', `${path}/role-mappings/realm/available`);
        const roles = (await response.json()) as readonly NamedRole[];
        return roles.filter(({ name }) => name.startsWith('order-'));
      };
      const before = await available();
      const role = before.filter(({ name }) => name === 'order-manager');
      const given = await manager.ask('POST', `${path}/role-mappings/realm`, role);
      const text = textOf(await login(own, username));
      const exchanged = await exchangeForB(own, text);
      const disabled = await manager.ask('PUT', path, { enabled: false });
      const active = [
        isActive(await introspect(own, 'service-a', text)),
        isActive(await introspect(own, 'service-b', exchanged)),
      ];
      return [
        created.status,
        before.map(({ name }) => name).toSorted(),
        given.status,
        (await available()).map(({ name }) => name),
        disabled.status,
        active,
        (await manager.ask('DELETE', path)).status,
      ];
    },
    answer: [201, ['order-manager', 'order-viewer'], 204, ['order-viewer'], 204, [false, false], 204],
  },
];

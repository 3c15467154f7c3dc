import { randomUUID } from 'node:crypto';
import { LoginBrowser } from './login-browser.js';
import { callback, claims } from './observations.js';
import { login, request } from './requests.js';
import type { ContractServer } from './server.js';

export interface Difference {
  readonly title: string;
  readonly ask: (server: ContractServer) => Promise<unknown>;
  readonly keycloak: unknown;
  readonly embedded: unknown;
}

const newName = (): string => `other-${randomUUID()}`;

export const DIFFERENCES: readonly Difference[] = [
  {
    title: 'parts of the admin REST API are missing',
    ask: async ({ administrator }) => (await administrator.ask('GET', '/groups')).status,
    keycloak: 200,
    embedded: 501,
  },
  {
    title: 'a path that is unknown to both servers is answered with 501 instead of 404',
    ask: async ({ administrator }) => (await administrator.ask('GET', '/no-such')).status,
    keycloak: 404,
    embedded: 501,
  },
  {
    title: 'events are not searched by address, administrator or path',
    ask: async ({ administrator }) =>
      Promise.all(
        ['/events?ipAddress=127.0.0.1', '/admin-events?authUser=no-such', '/admin-events?resourcePath=users/*'].map(
          (query) => administrator.statusOf('GET', query),
        ),
      ),
    keycloak: [200, 200, 200],
    embedded: [501, 501, 501],
  },
  {
    title: 'unsupported settings of a realm are refused',
    ask: async ({ administrator }) =>
      (await administrator.ask('PUT', '', { body: { displayName: 'Microservices' } })).status,
    keycloak: 204,
    embedded: 501,
  },
  {
    title: 'unknown members of a user are ignored',
    async ask({ administrator }) {
      const username = newName();
      const { status } = await administrator.ask('POST', '/users', { body: { username, noSuch: 1 } });
      const [made] = await administrator.read<{ id: string }[]>(`/users?exact=true&username=${username}`);
      if (made !== undefined) await administrator.change('DELETE', `/users/${made.id}`);
      return status;
    },
    keycloak: 400,
    embedded: 201,
  },
  {
    title: 'a user has no default roles',
    ask: (server) =>
      server.administrator.having('/users', { username: newName() }, async (path) =>
        (await server.administrator.read<{ name: string }[]>(`${path}/role-mappings/realm`)).map(({ name }) => name),
      ),
    keycloak: ['default-roles-microservices'],
    embedded: [],
  },
  {
    title: 'a token with full scope has no default roles',
    ask: async (server) => {
      const clientId = newName();
      const client = { clientId, publicClient: true, directAccessGrantsEnabled: true };
      return server.administrator.having('/clients', client, async () => {
        const username = await server.newUser('order-viewer');
        const { realm_access, resource_access } = claims(await login(server, username, 'profile', clientId));
        const { roles } = realm_access as { readonly roles: readonly string[] };
        return [roles.includes('order-viewer'), roles.includes('offline_access'), resource_access !== undefined];
      });
    },
    keycloak: [true, true, true],
    embedded: [true, false, false],
  },
  {
    title: 'a realm has only the clients of its file',
    ask: async (server) => (await login(server, 'alice', 'openid', 'admin-cli')).status,
    keycloak: 200,
    embedded: 401,
  },
  {
    title: 'the admin console is missing',
    ask: async ({ baseUrl }) => (await fetch(`${baseUrl}/admin`, { redirect: 'manual' })).status,
    keycloak: 302,
    embedded: 404,
  },
  {
    title: 'clients can not register themselves, and the metadata name no endpoint for it',
    async ask(server) {
      const { members } = await request(server, '/.well-known/openid-configuration');
      return members['registration_endpoint'] === `${server.issuer}/clients-registrations/openid-connect`;
    },
    keycloak: true,
    embedded: false,
  },
  {
    title: 'redirect URIs have no wildcards',
    ask: async (server) => {
      const clientId = newName();
      const client = { clientId, publicClient: true, redirectUris: ['http://localhost:3000/*'] };
      return server.administrator.having(
        '/clients',
        client,
        async () => (await new LoginBrowser(server).authorize(clientId, { scope: 'openid' })).status,
      );
    },
    keycloak: 200,
    embedded: 400,
  },
  {
    title: 'the response mode form_post is missing',
    ask: async (server) => {
      const changes = { response_mode: 'form_post', prompt: 'none' };
      return callback(server, await new LoginBrowser(server).authorize(await server.newClient('web'), changes))[
        'status'
      ];
    },
    keycloak: 200,
    embedded: 302,
  },
];

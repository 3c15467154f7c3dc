import { randomUUID } from 'node:crypto';
import { BAD_CLIENT, INACTIVE, type ContractCase } from './expectations.js';
import { administered, answer, askAdministrator, isActive } from './observations.js';
import { chainOf, clientCredentials, introspect, login, textOf } from './requests.js';
import type { ContractServer } from './server.js';
import { claimsOf } from './demo-realm.js';

const SECRET = 'a-secret-of-its-own';
const NO_CLIENT = { status: 404, json: { error: 'Could not find client' } };
const NO_SESSION = { status: 404, json: { error: 'Sesssion not found' } };
const DONE = { status: 204 };

interface Made {
  readonly path: string;
  readonly clientId: string;
}

const clientOf = (clientId: string) => ({
  clientId,
  secret: SECRET,
  publicClient: false,
  serviceAccountsEnabled: true,
  standardFlowEnabled: false,
  fullScopeAllowed: false,
  defaultClientScopes: ['basic', 'roles', 'profile', 'email'],
  optionalClientScopes: ['orders.approve'],
  attributes: { 'access.token.header.type.rfc9068': 'true' },
});

function withClient<T>({ administrator }: ContractServer, use: (made: Made) => Promise<T>): Promise<T> {
  const clientId = `client-${randomUUID()}`;
  return administrator.having('/clients', clientOf(clientId), (path) => use({ path, clientId }));
}

export const ADMIN_CLIENT_CASES: readonly ContractCase[] = [
  {
    title: 'the answer to the creation of a client names the location of the client',
    async ask(server) {
      const body = clientOf(`client-${randomUUID()}`);
      const made = await server.administrator.ask('POST', '/clients', { body });
      await server.administrator.ask('DELETE', `/clients/${made.headers.get('location')?.split('/').at(-1)}`);
      return administered(server, made);
    },
    answer: { status: 201, location: '<server>/admin/realms/microservices/clients/<uuid>' },
  },
  {
    title: 'mappers of a client add audiences to every token of the client, regardless of the scopes',
    async ask(server) {
      const mapper = (audience: string) => ({
        name: `audience ${audience}`,
        protocol: 'openid-connect',
        protocolMapper: 'oidc-audience-mapper',
        config: { 'included.client.audience': audience, 'access.token.claim': 'true' },
      });
      const clientId = `client-${randomUUID()}`;
      const body = { ...clientOf(clientId), protocolMappers: [mapper('service-a'), mapper('service-c')] };
      return server.administrator.having('/clients', body, async () => {
        const { aud } = claimsOf(textOf(await clientCredentials(server, `${clientId}:${SECRET}`, 'email')));
        return [aud].flat().toSorted();
      });
    },
    answer: ['service-a', 'service-c'],
  },
  {
    title: 'a created client is returned as sent, with the scope of a service account',
    ask: (server) =>
      withClient(server, async ({ path, clientId }) => {
        const shown = await server.administrator.read<Record<string, unknown>>(path);
        const attributes = shown['attributes'] as Record<string, string>;
        return {
          isItself: shown['clientId'] === clientId && path === `/clients/${String(shown['id'])}`,
          scopes: (shown['defaultClientScopes'] as string[]).toSorted(),
          rfc9068: attributes['access.token.header.type.rfc9068'],
          ...Object.fromEntries(
            [
              'enabled',
              'secret',
              'publicClient',
              'protocol',
              'standardFlowEnabled',
              'directAccessGrantsEnabled',
              'serviceAccountsEnabled',
              'fullScopeAllowed',
              'redirectUris',
              'optionalClientScopes',
            ].map((name) => [name, shown[name]]),
          ),
        };
      }),
    answer: {
      isItself: true,
      scopes: ['basic', 'email', 'profile', 'roles', 'service_account'],
      rfc9068: 'true',
      enabled: true,
      secret: SECRET,
      publicClient: false,
      protocol: 'openid-connect',
      standardFlowEnabled: false,
      directAccessGrantsEnabled: false,
      serviceAccountsEnabled: true,
      fullScopeAllowed: false,
      redirectUris: [],
      optionalClientScopes: ['orders.approve'],
    },
  },
  {
    title: 'a client id is unique, and a client that has no client id gets an id and a secret',
    ask: (server) =>
      withClient(server, async ({ clientId }) => {
        const again = (await askAdministrator(server, 'POST', '/clients', clientOf(clientId))) as {
          json: { errorMessage: string };
        };
        const nameless = await server.administrator.create('/clients', {});
        const shown = await server.administrator.read<{ id: string; clientId: string; secret: unknown }>(nameless);
        await server.administrator.change('DELETE', nameless);
        return [
          again.json.errorMessage === `Client ${clientId} already exists`,
          { ...again, json: undefined },
          shown.id === shown.clientId,
          typeof shown.secret,
        ];
      }),
    answer: [true, { status: 409, json: undefined }, true, 'string'],
  },
  {
    title: 'a search finds clients by the client id or by a part of the client id',
    ask: (server) =>
      withClient(server, async ({ clientId }) => {
        const found = async (query: string): Promise<number> =>
          (await server.administrator.read<object[]>(`/clients?${query}`)).length;
        const part = clientId.slice(0, -1);
        return [
          await found(`clientId=${clientId}`),
          await found(`clientId=${part}`),
          await found(`clientId=${part}&search=true`),
        ];
      }),
    answer: [1, 0, 1],
  },
  {
    title: 'an update of a client keeps all members that are not in the body, including attributes and scopes',
    ask: (server) =>
      withClient(server, async ({ path, clientId }) => {
        const changed = await askAdministrator(server, 'PUT', path, { attributes: { 'access.token.lifespan': '7' } });
        const reply = await clientCredentials(server, `${clientId}:${SECRET}`, 'orders.approve');
        const [header = ''] = textOf(reply).split('.');
        const { typ } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { typ: string };
        const disabled = await askAdministrator(server, 'PUT', path, { enabled: false });
        const refusal = answer(server, await clientCredentials(server, `${clientId}:${SECRET}`));
        const enabled = await askAdministrator(server, 'PUT', path, { enabled: true });
        const { status } = await clientCredentials(server, `${clientId}:${SECRET}`);
        return [changed, reply.members['expires_in'], typ, disabled, refusal, enabled, status];
      }),
    answer: [DONE, 7, 'at+jwt', DONE, BAD_CLIENT, DONE, 200],
  },
  {
    title: "a client can't take the client id of another client",
    ask: (server) => withClient(server, ({ path }) => askAdministrator(server, 'PUT', path, { clientId: 'service-a' })),
    answer: { status: 409, json: { error: 'conflict', error_description: 'Duplicate resource error' } },
  },
  {
    title: 'an update of a client can add a service account',
    async ask(server) {
      const clientId = `client-${randomUUID()}`;
      const path = await server.administrator.create('/clients', {
        ...clientOf(clientId),
        serviceAccountsEnabled: false,
      });
      const before = (await askAdministrator(server, 'GET', `${path}/service-account-user`)) as {
        json: { error: string };
      };
      const changed = await askAdministrator(server, 'PUT', path, { serviceAccountsEnabled: true });
      const account = await server.administrator.read<{ username: string }>(`${path}/service-account-user`);
      const { status } = await clientCredentials(server, `${clientId}:${SECRET}`);
      await server.administrator.change('DELETE', path);
      return [
        before.json.error === `Service account not enabled for the client '${clientId}'`,
        { ...before, json: undefined },
        changed,
        account.username === `service-account-${clientId}`,
        status,
      ];
    },
    answer: [true, { status: 400, json: undefined }, DONE, true, 200],
  },
  {
    title: 'the deletion of a client invalidates its tokens, prevents new tokens and deletes the service account',
    ask: (server) =>
      withClient(server, async ({ path, clientId }) => {
        const own = textOf(await clientCredentials(server, `${clientId}:${SECRET}`));
        const { id } = await server.administrator.read<{ id: string }>(`${path}/service-account-user`);
        return [
          await askAdministrator(server, 'DELETE', path),
          await askAdministrator(server, 'DELETE', path),
          (await server.administrator.ask('GET', `/users/${id}`)).status,
          answer(server, await introspect(server, 'service-b', own)),
          answer(server, await clientCredentials(server, `${clientId}:${SECRET}`)),
        ];
      }),
    answer: [DONE, NO_CLIENT, 404, INACTIVE, BAD_CLIENT],
  },
  {
    title: 'a request for an unknown client or session is answered with 404',
    ask: async (server) =>
      Promise.all([
        askAdministrator(server, 'GET', '/clients/no-such'),
        askAdministrator(server, 'PUT', '/clients/no-such', {}),
        askAdministrator(server, 'GET', '/clients/no-such/service-account-user'),
        askAdministrator(server, 'DELETE', '/sessions/no-such'),
      ]),
    answer: [NO_CLIENT, NO_CLIENT, NO_CLIENT, NO_SESSION],
  },
  {
    title: 'the end of one session of a user does not end other sessions of the user',
    async ask(server) {
      const username = await server.newUser('order-manager');
      const [chain, other] = [await chainOf(server, username), await login(server, username)];
      const session = `/sessions/${String(claimsOf(chain.atA)['sid'])}`;
      return [
        await askAdministrator(server, 'DELETE', session),
        await askAdministrator(server, 'DELETE', session),
        isActive(await introspect(server, 'service-b', chain.atB)),
        isActive(await introspect(server, 'service-a', textOf(other))),
      ];
    },
    answer: [DONE, NO_SESSION, false, true],
  },
];

import { fileURLToPath } from 'node:url';
import { NestFactory } from '@nestjs/core';
import type { INestApplication } from '@nestjs/common';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { testServer } from 'keycloak-test-servers';
import request from 'supertest';
import { InventoryModule } from '../../examples/quick-start/src/inventory/inventory.module.js';
import { OrdersModule } from '../../examples/quick-start/src/orders/orders.module.js';
import { tokenOf } from '../../examples/quick-start/test/token-of.js';
import { realmCommand, type Ran } from '../../libs/keycloak/spec-support/realm-command.js';
import { describeOnKeycloak } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { fillPlaceholders } from '../../libs/keycloak-test-servers/src/embedded/realm/realm-file.js';
import { startChangedRealm } from '../support/changed-realm.js';

const at = (path: string): string => fileURLToPath(new URL(`../../examples/quick-start/${path}`, import.meta.url));

const SOURCE = [
  ...['orders', 'inventory'].flatMap((name) => ['--module', `${at('src/realm-plan.ts')}#${name}`]),
  '--permissions',
  at('keycloak-permissions.json'),
];
const SECRETS = { ORDERS_CLIENT_SECRET: 'secret-of-orders', INVENTORY_CLIENT_SECRET: 'secret-of-inventory' };

const CLI = {
  clientId: 'cli',
  publicClient: true,
  standardFlowEnabled: false,
  directAccessGrantsEnabled: true,
  fullScopeAllowed: false,
  defaultClientScopes: ['basic'],
  optionalClientScopes: ['orders.read'],
};

const userOf = (username: string, realmRoles: readonly string[]): object => ({
  username,
  enabled: true,
  email: `${username}@example.com`,
  firstName: username,
  lastName: 'User',
  credentials: [{ type: 'password', value: username }],
  realmRoles,
});

let server: ContractServer;
let orders: INestApplication;
let inventory: INestApplication;
const before = { ...process.env };

beforeAll(async () => {
  const { printed } = await realmCommand(['plan', ...SOURCE, '--format', 'realm']);
  const generated = JSON.parse(fillPlaceholders(printed, SECRETS)) as { clients: object[]; users: object[] };
  server = await startChangedRealm((realm) => {
    const { realm: name } = realm;
    for (const member of Object.keys(realm)) delete realm[member as keyof typeof realm];
    Object.assign(realm, generated, {
      realm: name,
      clients: [...generated.clients, CLI],
      users: [...generated.users, userOf('alice', ['clerk']), userOf('bob', [])],
    });
  });
  const { issuer } = server;
  const common = { issuer, allowInsecureRequests: true };
  const { ORDERS_CLIENT_SECRET, INVENTORY_CLIENT_SECRET } = SECRETS;
  inventory = await NestFactory.create(InventoryModule.register({ ...common, clientSecret: INVENTORY_CLIENT_SECRET }));
  await inventory.listen(0, '127.0.0.1');
  const settings = { ...common, clientSecret: ORDERS_CLIENT_SECRET, inventoryUrl: await inventory.getUrl() };
  orders = await NestFactory.create(OrdersModule.register(settings));
  await orders.init();
});

afterAll(async () => {
  process.env = before;
  await orders.close();
  await inventory.close();
  await server.stop();
});

const offerTo = async (username: string) =>
  request(orders.getHttpServer())
    .get('/orders/pen')
    .auth(await tokenOf(server.issuer, username), { type: 'bearer' });

async function check(environment: Record<string, string>): Promise<Ran> {
  Object.assign(process.env, { ISSUER: server.issuer, NODE_ENV: 'development' });
  return realmCommand(['check', ...SOURCE], environment);
}

it('the services of the quick start work with the realm that realm plan generates', async () => {
  const alice = await offerTo('alice');
  expect([alice.status, alice.body]).toMatchObject([200, { article: 'pen', left: 3, through: 'orders' }]);
});

it('the generated realm gives a permission only to users with the required role', async () => {
  const bob = await offerTo('bob');
  expect([bob.status, bob.body]).toMatchObject([403, { code: 'insufficient_scope', permission: 'stock.read' }]);
  const token = await tokenOf(server.issuer, 'alice');
  await request(inventory.getHttpServer()).get('/stock/pen').auth(token, { type: 'bearer' }).expect(401);
});

it('realm check works with a real Keycloak, but not with the embedded server', async () => {
  const { exitCode, failed } = await check({ KEYCLOAK_ADMIN_TOKEN: await server.administrator.token() });
  const isRefused = failed.includes('Check the realm file with --realm-file instead.');
  expect([exitCode, isRefused]).toEqual(testServer().kind === 'embedded' ? [3, true] : [0, false]);
});

describeOnKeycloak('realm check on Keycloak', () => {
  interface Named {
    readonly id: string;
    readonly name: string;
  }

  it('finds no difference in the generated realm, but finds each later change', async () => {
    const environment = { KEYCLOAK_ADMIN_TOKEN: await server.administrator.token() };
    expect((await check(environment)).printed).toMatch(/\n0 errors, 0 warnings, 0 notes\.\n$/);
    const { administrator } = server;
    const scopes = await administrator.read<Named[]>('/client-scopes');
    const { id } = scopes.find(({ name }) => name === 'stock.read')!;
    const [cli] = await administrator.read<Named[]>('/clients?clientId=cli');
    await administrator.change('PUT', `/clients/${cli!.id}/optional-client-scopes/${id}`);
    const wider = await check(environment);
    expect(wider.printed).toContain('! permission  cli may ask for stock.read, which no module needs.');
    expect(wider.exitCode).toBe(1);
    const clerk = await administrator.read<Named>('/roles/clerk');
    const { defaultRole } = await administrator.read<{ readonly defaultRole: Named }>('');
    await administrator.change('POST', `/roles-by-id/${defaultRole.id}/composites`, [clerk]);
    const byDefault = await check(environment);
    expect(byDefault.printed).toContain("because the realm's default role gives everyone the role clerk.");
    expect(byDefault.exitCode).toBe(2);
    const mapped = `/client-scopes/${id}/scope-mappings/realm`;
    await administrator.change('DELETE', mapped, await administrator.read<object[]>(mapped));
    const open = await check(environment);
    expect(open.printed).toContain('✗ permission  Every user and service account may hold stock.read, but only clerk');
    expect(open.exitCode).toBe(2);
  });

  it('needs no right to change the realm', async () => {
    const secret = 'secret-of-the-reader';
    const reader = { clientId: 'reader', secret, serviceAccountsEnabled: true, fullScopeAllowed: true };
    const path = await server.administrator.create('/clients', reader);
    const { id } = await server.administrator.read<Named>(`${path}/service-account-user`);
    const [management] = await server.administrator.read<Named[]>('/clients?clientId=realm-management');
    const roles = await server.administrator.read<Named[]>(`/clients/${management!.id}/roles`);
    const rights = roles.filter(({ name }) => ['view-clients', 'view-realm'].includes(name));
    await server.administrator.change('POST', `/users/${id}/role-mappings/clients/${management!.id}`, rights);
    const form = { grant_type: 'client_credentials', client_id: 'reader', client_secret: secret };
    const answer = await fetch(`${server.issuer}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    const { access_token: token } = (await answer.json()) as { readonly access_token: string };
    const { exitCode, printed } = await check({ KEYCLOAK_ADMIN_TOKEN: token });
    expect(printed).toContain('✓ client      orders is as required.');
    expect(exitCode).toBe(2);
  });
});

import { describe, expect, it } from '@jest/globals';
import { UsageError } from '../../usage-error.js';
import type { RealmRequirements, RequiredClient, RequiredPermission } from '../realm-requirements.js';
import { realmFile, realmFileNotes } from './realm-file.js';

const clientOf = (clientId: string, others: Partial<RequiredClient> = {}): RequiredClient => ({
  clientId,
  tokenExchange: false,
  serviceAccount: false,
  serviceAccountRoles: [],
  ...others,
});

const STOCK: RequiredPermission = { name: 'stock.read', audience: 'inventory', clients: ['orders'], roles: ['clerk'] };

const REQUIREMENTS: RealmRequirements = {
  version: 1,
  clients: [clientOf('inventory'), clientOf('orders', { tokenExchange: true })],
  otherClients: ['web'],
  permissions: [{ name: 'orders.read', audience: 'orders', clients: ['web'], everyone: true }, STOCK],
  levels: [],
};

const fileOf = (changes: Partial<RealmRequirements> = {}): Record<string, unknown> =>
  JSON.parse(realmFile({ ...REQUIREMENTS, ...changes }, 'shop')) as Record<string, unknown>;

describe('the format realm', () => {
  it('contains each permission as a client scope with an audience and the roles of the policy', () => {
    const file = fileOf();
    expect(file).toMatchObject({ realm: 'shop', enabled: true, roles: { realm: [{ name: 'clerk' }] } });
    expect(file['scopeMappings']).toEqual([{ clientScope: 'stock.read', roles: ['clerk'] }]);
    const scopes = file['clientScopes'] as { name: string; protocolMappers: { config: object }[] }[];
    expect(scopes.map(({ name }) => name)).toEqual(['basic', 'orders.read', 'stock.read']);
    expect(scopes[2]).toMatchObject({
      attributes: { 'include.in.token.scope': 'true' },
      protocolMappers: [
        {
          protocolMapper: 'oidc-audience-mapper',
          config: {
            'included.client.audience': 'inventory',
            'access.token.claim': 'true',
            'introspection.token.claim': 'true',
          },
        },
      ],
    });
  });

  it('contains confidential clients that have a placeholder as secret and no login flow', () => {
    const [inventory, orders, ...others] = fileOf()['clients'] as Record<string, unknown>[];
    expect(others).toEqual([]);
    expect(orders).toEqual({
      clientId: 'orders',
      secret: '${ORDERS_CLIENT_SECRET}',
      publicClient: false,
      standardFlowEnabled: false,
      implicitFlowEnabled: false,
      directAccessGrantsEnabled: false,
      serviceAccountsEnabled: false,
      fullScopeAllowed: false,
      defaultClientScopes: ['basic'],
      optionalClientScopes: ['stock.read'],
      attributes: { 'standard.token.exchange.enabled': 'true' },
    });
    expect(inventory).toMatchObject({ optionalClientScopes: [], attributes: {} });
  });

  it('contains the client of a called service even if no module of this service is given', () => {
    const requirements = { ...REQUIREMENTS, clients: [clientOf('orders')], otherClients: ['inventory', 'web'] };
    expect(fileOf(requirements)['clients']).toMatchObject([{ clientId: 'orders' }, { clientId: 'inventory' }]);
    expect(realmFileNotes(requirements)).toEqual([
      'The file has no client web, because no module says what kind of client it is.',
      'Set these environment variables of Keycloak to the secrets of the clients before the import: ORDERS_CLIENT_SECRET, INVENTORY_CLIENT_SECRET.',
    ]);
  });

  it('gives a service account the realm roles and client roles of the policy', () => {
    const roles = [
      'clerk',
      { client: 'inventory', role: 'reader' },
      { client: 'realm-management', role: 'view-events' },
    ];
    const file = fileOf({
      clients: [clientOf('inventory'), clientOf('Orders', { serviceAccount: true, serviceAccountRoles: roles })],
      permissions: [{ ...STOCK, roles }],
    });
    expect(file['users']).toEqual([
      {
        username: 'service-account-orders',
        enabled: true,
        serviceAccountClientId: 'Orders',
        realmRoles: ['clerk'],
        clientRoles: { inventory: ['reader'], 'realm-management': ['view-events'] },
      },
    ]);
    expect(file).toMatchObject({
      clientScopeMappings: {
        inventory: [{ clientScope: 'stock.read', roles: ['reader'] }],
        'realm-management': [{ clientScope: 'stock.read', roles: ['view-events'] }],
      },
    });
    expect(file['roles']).toEqual({ realm: [{ name: 'clerk' }], client: { inventory: [{ name: 'reader' }] } });
  });

  it('contains the client scope acr if a service demands a level of authentication', () => {
    const levels = [{ acr: ['gold', '2'], services: ['orders'] }];
    expect(fileOf({ levels })).toMatchObject({ clients: [{ defaultClientScopes: ['basic', 'acr'] }, {}] });
    expect(realmFileNotes({ ...REQUIREMENTS, levels })).toContain(
      'The file has no login flow for acr gold or 2, because the code does not say how users log in.',
    );
  });

  it.each<[string, Partial<RealmRequirements>, RegExp]>([
    [
      'two clients would share the secret of one placeholder',
      { clients: [clientOf('orders-a'), clientOf('orders.a')] },
      /orders-a and orders\.a would share the placeholder of one secret \(ORDERS_A_CLIENT_SECRET\)/,
    ],
    [
      'a role belongs to a client that is not in the file',
      { permissions: [{ ...STOCK, roles: [{ client: 'web', role: 'reader' }] }] },
      /the file has no client web for the roles of the client/,
    ],
  ])('is refused if %s', (_, changes, message) => {
    expect(() => fileOf(changes)).toThrow(UsageError);
    expect(() => fileOf(changes)).toThrow(message);
  });

  it('begins each placeholder with a letter, as Keycloak and the embedded server demand', () => {
    const file = fileOf({ clients: [clientOf('4711')], permissions: [] });
    expect(file).toMatchObject({ clients: [{ secret: '${CLIENT_4711_CLIENT_SECRET}' }] });
  });
});

import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import type { RealmRequirements } from '../realm-requirements.js';
import { configCliFile } from './config-cli.js';

const REQUIREMENTS: RealmRequirements = {
  version: 1,
  clients: [
    { clientId: 'cron', tokenExchange: false, serviceAccount: true, serviceAccountRoles: ['clerk'] },
    { clientId: 'inventory', tokenExchange: false, serviceAccount: false, serviceAccountRoles: [] },
    { clientId: 'orders', tokenExchange: true, serviceAccount: false, serviceAccountRoles: [] },
  ],
  otherClients: ['web'],
  permissions: [
    { name: 'orders.read', audience: 'orders', clients: ['web'], everyone: true },
    { name: 'stock.read', audience: 'inventory', clients: ['orders'], roles: ['clerk', { client: 'web', role: 'r' }] },
  ],
  levels: [],
};

const commentsIn = (file: string): string => file.match(/^# .*$/gm)?.join('\n') ?? '';

describe('the format config-cli', () => {
  it('contains client scopes and their role mappings, but neither clients nor roles', () => {
    const file = parse(configCliFile(REQUIREMENTS, 'shop')) as Record<string, unknown>;
    expect(Object.keys(file)).toEqual(['realm', 'clientScopes', 'scopeMappings', 'clientScopeMappings']);
    expect(file).toMatchObject({
      realm: 'shop',
      clientScopes: [{ name: 'orders.read' }, { name: 'stock.read' }],
      scopeMappings: [{ clientScope: 'stock.read', roles: ['clerk'] }],
      clientScopeMappings: { web: [{ clientScope: 'stock.read', roles: ['r'] }] },
    });
  });

  it('omits the role mappings if no permission needs a role', () => {
    const [ordersRead] = REQUIREMENTS.permissions;
    const file = parse(configCliFile({ ...REQUIREMENTS, permissions: [ordersRead!] }, 'shop')) as object;
    expect(Object.keys(file)).toEqual(['realm', 'clientScopes']);
  });

  it('names in comments the import settings that it requires', () => {
    const comments = commentsIn(configCliFile(REQUIREMENTS, 'shop'));
    for (const kind of ['client-scope', 'scope-mapping', 'client-scope-mapping']) {
      expect(comments).toContain(`import.managed.${kind}=no-delete`);
    }
  });

  it('lists in comments what the clients and the service accounts need', () => {
    const settings = [...commentsIn(configCliFile(REQUIREMENTS, 'shop')).matchAll(/^# +(\{.*\})$/gm)];
    expect(settings.map(([, json = '']) => JSON.parse(json) as unknown)).toEqual([
      { clientId: 'cron', serviceAccountsEnabled: true },
      {
        clientId: 'orders',
        optionalClientScopes: ['stock.read'],
        attributes: { 'standard.token.exchange.enabled': 'true' },
      },
      { clientId: 'web', optionalClientScopes: ['orders.read'] },
      {
        username: 'service-account-cron',
        enabled: true,
        serviceAccountClientId: 'cron',
        realmRoles: ['clerk'],
        clientRoles: {},
      },
    ]);
  });
});

/** Realm, code and README agree. The realm file is the one source of who may call whom. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

interface Realm {
  readonly realm: string;
  readonly accessTokenLifespan: number;
  readonly bruteForceProtected: boolean;
  readonly failureFactor: number;
  readonly waitIncrementSeconds: number;
  readonly permanentLockout?: boolean;
  readonly revokeRefreshToken: boolean;
  readonly refreshTokenMaxReuse: number;
  readonly clientScopes: readonly {
    readonly name: string;
    readonly protocolMappers?: readonly {
      readonly protocolMapper: string;
      readonly config: Readonly<Record<string, string>>;
    }[];
  }[];
  readonly scopeMappings: readonly { readonly clientScope: string; readonly roles: readonly string[] }[];
  readonly clients: readonly {
    readonly clientId: string;
    readonly publicClient?: boolean;
    readonly secret?: string;
    readonly fullScopeAllowed?: boolean;
    readonly serviceAccountsEnabled?: boolean;
    readonly defaultClientScopes: readonly string[];
    readonly optionalClientScopes: readonly string[];
    readonly attributes: Readonly<Record<string, string>>;
  }[];
  readonly users: readonly { readonly username: string; readonly realmRoles: readonly string[] }[];
}

const realm = JSON.parse(read('keycloak/microservices-realm.json')) as Realm;

/** The permissions: the client scopes that carry an audience. */
const permissions = realm.clientScopes.flatMap(({ name, protocolMappers = [] }) => {
  const audiences = protocolMappers
    .filter(({ protocolMapper }) => protocolMapper === 'oidc-audience-mapper')
    .map(({ config }) => config['included.client.audience'] ?? '');
  return audiences.length === 0 ? [] : [{ name, audiences }];
});
const rolesOf = (permission: string): readonly string[] =>
  realm.scopeMappings.find(({ clientScope }) => clientScope === permission)?.roles ?? [];
const askedBy = (permission: string): string[] =>
  realm.clients.filter((client) => client.optionalClientScopes.includes(permission)).map(({ clientId }) => clientId);
const client = (id: string): Realm['clients'][number] => {
  const found = realm.clients.find(({ clientId }) => clientId === id);
  if (found === undefined) throw new Error(`no client ${id}`);
  return found;
};

/** What the code of a service says. */
const code = {
  'service-a':
    read('apps/service-a/src/chain/chain.controller.ts') + read('apps/service-a/src/orders/orders.controller.ts'),
  'service-b':
    read('apps/service-b/src/orders/orders.controller.ts') +
    read('apps/service-b/src/inventory/inventory.controller.ts') +
    read('apps/service-b/src/attacks/attacks.controller.ts'),
  'service-c':
    read('apps/service-c/src/analytics/analytics.controller.ts') +
    read('apps/service-c/src/attacks/attacks.controller.ts'),
};

describe('the realm', () => {
  it('gives each permission one owner, and roles that may hold it', () => {
    expect(permissions.map(({ name }) => name).toSorted()).toEqual([
      'analytics.run',
      'attacks.exchange',
      'attacks.replay',
      'attacks.run',
      'inventory.adjust',
      'orders.approve',
      'orders.read',
    ]);
    for (const { name, audiences } of permissions) {
      expect(audiences).toHaveLength(1);
      expect(rolesOf(name)).not.toEqual([]);
    }
  });

  it('has a user wait after guesses, and locks nobody out for good', () => {
    expect(realm.bruteForceProtected).toBe(true);
    expect(realm.failureFactor).toBeLessThanOrEqual(10);
    expect(realm.waitIncrementSeconds).toBeGreaterThanOrEqual(60);
    expect(realm.permanentLockout ?? false).toBe(false);
  });

  it('takes a refresh token once (BF-08)', () => {
    expect([realm.revokeRefreshToken, realm.refreshTokenMaxReuse]).toEqual([true, 0]);
  });

  it('gives no client more than it asks for', () => {
    for (const { fullScopeAllowed, defaultClientScopes } of realm.clients) {
      expect(fullScopeAllowed).toBe(false);
      expect(defaultClientScopes.filter((scope) => permissions.some(({ name }) => name === scope))).toEqual([]);
    }
  });

  it('holds no secret, only where one is to be filled in', () => {
    for (const { clientId, publicClient, secret } of realm.clients) {
      const placeholder = `\${${clientId.toUpperCase().replaceAll('-', '_')}_CLIENT_SECRET}`;
      expect([clientId, secret]).toEqual([clientId, publicClient === true ? undefined : placeholder]);
    }
  });

  it('lets exchange those that call further, and nobody else', () => {
    const exchanging = realm.clients.filter(
      ({ attributes }) => attributes['standard.token.exchange.enabled'] === 'true',
    );
    expect(exchanging.map(({ clientId }) => clientId)).toEqual(['service-a', 'service-b']);
  });

  it('keeps exchanged tokens of Service B short, and all within minutes', () => {
    expect(client('service-b').attributes['access.token.lifespan']).toBe('60');
    expect(realm.accessTokenLifespan).toBe(300);
  });

  it('lets the client of the short-lived tokens have the permission of the attacks at Service A, for a second', () => {
    const { attributes, optionalClientScopes, publicClient } = client('short-lived');
    expect(attributes['access.token.lifespan']).toBe('1');
    expect(attributes['standard.token.exchange.enabled']).toBeUndefined();
    expect([optionalClientScopes, publicClient]).toEqual([['attacks.run'], false]);
    const account = realm.users.find(({ username }) => username === 'service-account-short-lived');
    expect(account?.realmRoles).toEqual(['order-viewer']);
  });
});

describe('the code', () => {
  it('demands only permissions that the realm has, at the service that owns them', () => {
    for (const [service, text] of Object.entries(code)) {
      const demanded = [...text.matchAll(/@RequirePermission\('([^']+)'\)/g)].map(([, name]) => name);
      expect(demanded).not.toEqual([]);
      for (const name of demanded) {
        expect([name, permissions.find((permission) => permission.name === name)?.audiences]).toEqual([
          name,
          [service],
        ]);
      }
    }
  });

  it('allows only clients that may ask for the permission', () => {
    const routes = Object.values(code).flatMap((text) => [
      ...text.matchAll(/@RequirePermission\('([^']+)'\)\s+@AllowClients\('([^']+)'\)/g),
    ]);
    expect(routes).toHaveLength(5);
    for (const [, permission = '', allowed] of routes) expect(askedBy(permission)).toEqual([allowed]);
  });

  it('asks only for permissions that its client has', () => {
    const asked = [
      ['service-a', read('apps/service-a/src/processing.client.ts')],
      ['service-a', read('apps/service-a/src/attacks/attacks-at-b.client.ts')],
      ['service-b', read('apps/service-b/src/analytics.client.ts')],
      ['service-b', read('apps/service-b/src/attacks/attacks-at-c.client.ts')],
    ] as const;
    for (const [service, text] of asked) {
      const scopes = [...text.matchAll(/(?:asSelf\(|onBehalfOf\(caller, )'([^']+)'/g)].map(([, scope]) => scope);
      expect(scopes).not.toEqual([]);
      for (const scope of scopes) expect(client(service).optionalClientScopes).toContain(scope);
    }
  });

  it('has the client ids and the realm name of the realm file', () => {
    expect(realm.realm).toBe('microservices');
    for (const name of ['service-a', 'service-b', 'service-c'] as const) {
      expect(read(`apps/${name}/src/config.ts`)).toContain(`name: '${name}'`);
      expect(client(name).publicClient).toBe(false);
    }
  });
});

describe('the README', () => {
  it.each(['README.md', 'keycloak/README.md'])(
    '%s: its table of who may call whom is what the realm file says',
    (file) => {
      const rows = read(file)
        .split('\n')
        .filter((line) => /^\| `[a-z]+\.[a-z]+`/.test(line))
        .map((line) => line.split('|').map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word)))
        .map((cells) => ({ permission: cells[1]?.[0], audience: cells[2], roles: cells[3], clients: cells.at(-2) }));
      const byName = <T extends { permission: string | undefined }>(list: T[]): T[] =>
        list.toSorted((a, b) => String(a.permission).localeCompare(String(b.permission)));
      // Who reads how to call whom need not know of the attacks on the page.
      const isTold = (name: string): boolean => file !== 'README.md' || !name.startsWith('attacks.');
      const told = permissions.filter(({ name }) => isTold(name));
      expect(byName(rows)).toEqual(
        byName(
          told.map(({ name, audiences }) => ({
            permission: name,
            audience: audiences,
            roles: rolesOf(name),
            clients: askedBy(name),
          })),
        ),
      );
    },
  );
});

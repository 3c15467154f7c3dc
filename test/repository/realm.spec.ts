import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import description from '../../services.json' with { type: 'json' };

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Realm {
  readonly realm: string;
  readonly accessTokenLifespan: number;
  readonly ssoSessionMaxLifespan: number;
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
    readonly enabled?: unknown;
    readonly publicClient?: boolean;
    readonly secret?: string;
    readonly fullScopeAllowed?: boolean;
    readonly serviceAccountsEnabled?: boolean;
    readonly defaultClientScopes: readonly string[];
    readonly optionalClientScopes: readonly string[];
    readonly attributes: Readonly<Record<string, string>>;
  }[];
  readonly browserFlow: string;
  readonly directGrantFlow: string;
  readonly authenticationFlows: readonly {
    readonly alias: string;
    readonly authenticationExecutions: readonly Readonly<Record<string, unknown>>[];
  }[];
  readonly authenticatorConfig: readonly {
    readonly alias: string;
    readonly config: Readonly<Record<string, string>>;
  }[];
  readonly users: readonly {
    readonly username: string;
    readonly realmRoles?: readonly string[];
    readonly clientRoles?: Readonly<Record<string, readonly string[]>>;
  }[];
  readonly eventsEnabled: unknown;
  readonly adminEventsEnabled: unknown;
  readonly eventsExpiration: number;
  readonly enabledEventTypes: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly clientScopeMappings: Readonly<
    Record<string, readonly { readonly client: string; readonly roles: readonly string[] }[]>
  >;
}

const realm = JSON.parse(read('keycloak/microservices-realm.json')) as Realm;
const example = JSON.parse(read('examples/mcp/realm.json')) as Realm;

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
/** `npm start -- --mcp` adds these clients to the realm. */
const toolsAskFor = (permission: string): string[] =>
  example.clients.filter((each) => each.optionalClientScopes.includes(permission)).map(({ clientId }) => clientId);
const client = (id: string): Realm['clients'][number] => {
  const found = realm.clients.find(({ clientId }) => clientId === id);
  if (found === undefined) throw new Error(`no client ${id}`);
  return found;
};

const services = Object.keys(description.services);
const POLLER = description.poller.name;

const sourcesOf = (service: string, kind: string): string =>
  readdirSync(join(root, 'apps', service, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(`.${kind}.ts`))
    .map((path) => read(join('apps', service, 'src', path)))
    .join('\n');

const ALLOWING = /@RequirePermission\('([^']+)'\)\s+@AllowClients\('([^']+)'\)/g;

describe('the demo realm', () => {
  it('gives each permission one audience, and at least one role', () => {
    expect(permissions.length).toBeGreaterThan(6);
    for (const { name, audiences } of permissions) {
      expect([name, audiences.length]).toEqual([name, 1]);
      expect([...services, POLLER]).toContain(audiences[0]);
      expect([name, rolesOf(name)]).not.toEqual([name, []]);
    }
  });

  it('makes a user wait after wrong passwords, but never locks a user out permanently', () => {
    expect(realm.bruteForceProtected).toBe(true);
    expect(realm.failureFactor).toBeLessThanOrEqual(10);
    expect(realm.waitIncrementSeconds).toBeGreaterThanOrEqual(60);
    expect(realm.permanentLockout ?? false).toBe(false);
  });

  it('accepts each refresh token only once (BF-08)', () => {
    expect([realm.revokeRefreshToken, realm.refreshTokenMaxReuse]).toEqual([true, 0]);
  });

  it('keeps login level 1 for the session, and login level 2 for five minutes (RS-11)', () => {
    const configured = (alias: unknown) => realm.authenticatorConfig.find((config) => config.alias === alias)?.config;
    const levels = realm.authenticationFlows.flatMap(({ authenticationExecutions }) => {
      const condition = authenticationExecutions.find(
        ({ authenticator }) => authenticator === 'conditional-level-of-authentication',
      );
      const forms = authenticationExecutions.filter((execution) => execution !== condition);
      const config = configured(condition?.['authenticatorConfig']);
      return config === undefined ? [] : [{ ...config, forms: forms.map(({ authenticator }) => authenticator) }];
    });
    expect(levels).toEqual([
      {
        'loa-condition-level': '1',
        'loa-max-age': String(realm.ssoSessionMaxLifespan),
        forms: ['auth-username-password-form'],
      },
      { 'loa-condition-level': '2', 'loa-max-age': '300', forms: ['auth-password-form'] },
    ]);
    // If a realm file defines flows, Keycloak does not create its built-in login flows.
    const flows = realm.authenticationFlows.map(({ alias }) => alias);
    expect(flows).toEqual(expect.arrayContaining([realm.browserFlow, realm.directGrantFlow]));
    for (const { clientId, defaultClientScopes } of realm.clients) {
      // No service accepts the poller's tokens, so the poller does not need the scope `acr`.
      expect([clientId, defaultClientScopes.includes('acr')]).toEqual([clientId, clientId !== POLLER]);
    }
  });

  it('gives no client a permission that the client has not requested', () => {
    for (const { fullScopeAllowed, defaultClientScopes } of realm.clients) {
      expect(fullScopeAllowed).toBe(false);
      expect(defaultClientScopes.filter((scope) => permissions.some(({ name }) => name === scope))).toEqual([]);
    }
  });

  it('contains placeholders instead of secrets', () => {
    for (const { clientId, publicClient, secret } of realm.clients) {
      const placeholder = `\${${clientId.toUpperCase().replaceAll('-', '_')}_CLIENT_SECRET}`;
      expect([clientId, secret]).toEqual([clientId, publicClient === true ? undefined : placeholder]);
    }
  });

  it('disables events and the client of the poller unless the environment enables both', () => {
    const told = '${SIGNALS_EVENTS:false}';
    expect([realm.eventsEnabled, realm.adminEventsEnabled, client(POLLER).enabled]).toEqual([told, told, told]);
    expect(realm.attributes['ssf.transmitterEnabled']).toBe('${SIGNALS_SSF:false}');
    expect(client(POLLER).attributes['ssf.enabled']).toBe('${SIGNALS_SSF:false}');
  });

  it('saves only the event types that the feed reads, for an hour', () => {
    expect([realm.eventsExpiration, realm.attributes['adminEventsExpiration']]).toEqual([3600, '3600']);
    const [, guide = ''] = /At least these types must be saved:\s([^.]*)\./.exec(read('docs/event-feed.md')) ?? [];
    expect([...guide.matchAll(/`(\w+)`/g)].map(([, type]) => type)).toEqual(realm.enabledEventTypes);
  });

  it('has one client for reading events and one client for managing users, both disabled by default', () => {
    const roles = { [POLLER]: ['view-events'], 'demo-helpdesk': ['manage-users'] };
    expect(realm.clients.filter(({ enabled = true }) => enabled !== true)).toEqual([
      expect.objectContaining({ clientId: POLLER, enabled: '${SIGNALS_EVENTS:false}' }),
      expect.objectContaining({ clientId: 'demo-helpdesk', enabled: '${DEMO_HELPDESK_ENABLED:false}' }),
    ]);
    expect(client(POLLER)).toMatchObject({ defaultClientScopes: ['basic'], serviceAccountsEnabled: true });
    expect(client('demo-helpdesk')).toMatchObject({
      optionalClientScopes: [],
      attributes: { 'access.token.lifespan': '60' },
    });
    expect(realm.clientScopeMappings).toEqual({
      'realm-management': Object.entries(roles).map(([name, ofClient]) => ({ client: name, roles: ofClient })),
    });
    const accounts = realm.users.filter(({ clientRoles }) => clientRoles !== undefined);
    expect(accounts).toEqual(
      Object.entries(roles).map(([name, ofClient]) =>
        expect.objectContaining({
          username: `service-account-${name}`,
          clientRoles: { 'realm-management': ofClient },
        }),
      ),
    );
    for (const { realmRoles = [] } of accounts) expect(realmRoles).toEqual([]);
  });

  it('allows token exchange only for Service A and Service B', () => {
    const exchanging = realm.clients.filter(
      ({ attributes }) => attributes['standard.token.exchange.enabled'] === 'true',
    );
    expect(exchanging.map(({ clientId }) => clientId)).toEqual(['service-a', 'service-b']);
  });

  it('limits exchanged tokens of Service B to one minute, and other tokens to five minutes', () => {
    expect(client('service-b').attributes['access.token.lifespan']).toBe('60');
    expect(realm.accessTokenLifespan).toBe(300);
  });

  it('lets tokens of the client "short-lived" last one second and allow only attacks.run', () => {
    const { attributes, optionalClientScopes, publicClient } = client('short-lived');
    expect(attributes['access.token.lifespan']).toBe('1');
    expect(attributes['standard.token.exchange.enabled']).toBeUndefined();
    expect([optionalClientScopes, publicClient]).toEqual([['attacks.run'], false]);
    const account = realm.users.find(({ username }) => username === 'service-account-short-lived');
    expect(account?.realmRoles).toEqual(['order-viewer']);
  });
});

describe('the code of the services', () => {
  it.each(services)('requires only permissions whose audience in the realm file is the service: %s', (service) => {
    const demanded = [...sourcesOf(service, 'controller').matchAll(/@RequirePermission\('([^']+)'\)/g)];
    const owned = permissions.filter(({ audiences }) => audiences[0] === service).map(({ name }) => name);
    expect(demanded).not.toEqual([]);
    for (const [, name] of demanded) expect(owned).toContain(name);
  });

  it.each([...services, POLLER])('requires a separate permission for the health details of %s (OP-06)', (service) => {
    const permission = `${service}.health`;
    expect(permissions).toContainEqual({ name: permission, audiences: [service] });
    expect([rolesOf(permission), askedBy(permission)]).toEqual([['operator'], ['operator']]);
    const holders = realm.users.filter(({ realmRoles = [] }) => realmRoles.includes('operator'));
    expect(holders.map(({ username }) => username)).toEqual(['service-account-operator']);
  });

  it('allows only clients that may request the permission of the route', () => {
    const routes = services.flatMap((service) => [...sourcesOf(service, 'controller').matchAll(ALLOWING)]);
    expect(routes.length).toBeGreaterThan(4);
    for (const [, permission = '', allowed = ''] of routes) {
      const isOfTools = allowed === 'order-tools';
      expect([permission, isOfTools ? toolsAskFor(permission) : askedBy(permission)]).toEqual([permission, [allowed]]);
    }
  });

  it.each(Object.entries(description.services))(
    'requests only permissions that the client of the service has in the realm file: %s',
    (service, { calls }) => {
      const asked = [...sourcesOf(service, 'client').matchAll(/(?:asService\(|onBehalfOf\(caller, )'([^']+)'/g)];
      const scopes = asked.map(([, scope = '']) => scope);
      for (const scope of scopes) expect(client(service).optionalClientScopes).toContain(scope);
      const called = permissions.filter(({ name }) => scopes.includes(name)).flatMap(({ audiences }) => audiences);
      expect([...new Set(called)].toSorted()).toEqual(calls.toSorted());
    },
  );
});

it('keycloak/README.md lists the same permitted calls as the realm file', () => {
  const rows = read('keycloak/README.md')
    .split('\n')
    .filter((line) => /^\| `[a-z-]+\.[a-z]+`/.test(line))
    .map((line) => line.split('|').map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word)))
    .map((cells) => ({ permission: cells[1]?.[0], audience: cells[2], roles: cells[3], clients: cells.at(-2) }));
  const byName = <T extends { permission: string | undefined }>(list: T[]): T[] =>
    list.toSorted((a, b) => String(a.permission).localeCompare(String(b.permission)));
  expect(byName(rows)).toEqual(
    byName(
      permissions.map(({ name, audiences }) => ({
        permission: name,
        audience: audiences,
        roles: rolesOf(name),
        clients: askedBy(name),
      })),
    ),
  );
});

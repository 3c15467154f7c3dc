import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { modules, POLICY, realmCommand, SpecFolder } from '../../../../spec-support/realm-command.js';
import type { Finding } from '../../../checkup/finding.js';
import type { RealmRequirements } from '../realm-requirements.js';
import { snapshotOfFile } from './realm-file-snapshot.js';
import { realmDifferences } from './realm-differences.js';

interface Scope {
  name: string;
  attributes: Record<string, string>;
  protocolMappers: { config: Record<string, string> }[];
}

interface Client {
  clientId: string;
  [setting: string]: unknown;
  defaultClientScopes: string[];
  optionalClientScopes: string[];
  attributes: Record<string, string>;
}

interface RealmFile {
  [member: string]: unknown;
  attributes: Record<string, string>;
  roles: { realm: { name: string; composites?: object }[] };
  clientScopes: Scope[];
  scopeMappings: { clientScope: string; roles: string[] }[];
  clientScopeMappings: Record<string, { clientScope: string; roles: string[] }[]>;
  clients: Client[];
  users: { serviceAccountClientId: string; realmRoles: string[] }[];
}

const FURTHER_CLIENTS = [
  { clientId: 'web', publicClient: true, fullScopeAllowed: false, optionalClientScopes: ['orders.read'] },
  { clientId: 'warehouse', fullScopeAllowed: false, optionalClientScopes: ['stock.read'] },
];

const LEVEL_2 = {
  attributes: { 'acr.loa.map': '{"gold":2}' },
  browserFlow: 'with levels',
  authenticatorConfig: [{ alias: 'two', config: { 'loa-condition-level': '2' } }],
  authenticationFlows: [
    { alias: 'with levels', authenticationExecutions: [{ flowAlias: 'level 2', requirement: 'CONDITIONAL' }] },
    {
      alias: 'level 2',
      authenticationExecutions: [
        { authenticator: 'conditional-level-of-authentication', authenticatorConfig: 'two' },
        { flowAlias: 'with levels' },
      ],
    },
  ],
};

let folder: SpecFolder;
let requirements: RealmRequirements;
let file: string;
beforeAll(async () => {
  folder = new SpecFolder();
  const policy = folder.file('policy.json', { ...POLICY, serviceAccounts: { cron: ['clerk'] } });
  const args = ['--permissions', policy, ...modules('orders', 'inventory', 'refunds', 'cron')];
  const plan = async (format: string): Promise<string> =>
    (await realmCommand(['plan', ...args, '--format', format])).printed;
  requirements = JSON.parse(await plan('json')) as RealmRequirements;
  const realm = JSON.parse(await plan('realm')) as RealmFile;
  file = JSON.stringify({ ...realm, ...LEVEL_2, clients: [...realm.clients, ...FURTHER_CLIENTS] });
});
afterAll(() => folder.remove());

async function faultsWith(change: (realm: RealmFile) => void, known: readonly string[] = []): Promise<string[]> {
  return (await findingsWith(requirements, change, known))
    .filter(({ level }) => level === 'warning' || level === 'error')
    .map(({ level, message }) => `${level}: ${message}`);
}

async function findingsWith(
  required: RealmRequirements,
  change: (realm: RealmFile) => void,
  known: readonly string[] = [],
): Promise<Finding[]> {
  const realm = JSON.parse(file) as RealmFile;
  change(realm);
  return realmDifferences(required, snapshotOfFile(realm), { known });
}

const client = ({ clients }: RealmFile, id: string): Client => clients.find(({ clientId }) => clientId === id)!;
const scope = ({ clientScopes }: RealmFile, wanted: string): Scope => clientScopes.find(({ name }) => name === wanted)!;
const mapping = ({ scopeMappings }: RealmFile, wanted: string): { roles: string[] } =>
  scopeMappings.find(({ clientScope }) => clientScope === wanted)!;

it('a realm that realm plan --format realm prints has no difference', async () => {
  expect(await faultsWith(() => undefined)).toEqual([]);
});

describe('realm check of an incomplete realm', () => {
  it.each<[string, (realm: RealmFile) => void, string]>([
    [
      'a client',
      (realm) => void (realm.clients = realm.clients.filter(({ clientId }) => clientId !== 'refunds')),
      'error: The realm has no client refunds.',
    ],
    ['an enabled client', (realm) => void (client(realm, 'refunds')['enabled'] = false), 'error: refunds is disabled.'],
    [
      'a confidential client',
      (realm) => void (client(realm, 'refunds')['publicClient'] = true),
      'error: refunds has no credentials.',
    ],
    [
      'the token exchange of a client',
      (realm) => void (client(realm, 'orders').attributes = {}),
      'error: orders may not exchange tokens, so it calls no service on behalf of callers.',
    ],
    [
      'a service account',
      (realm) => void (client(realm, 'cron')['serviceAccountsEnabled'] = false),
      'error: cron asks for permissions in its own name, but has no service account.',
    ],
    [
      'the role of a service account',
      (realm) => void (realm.users = []),
      'error: The service account of cron lacks the role clerk.',
    ],
    [
      'a permission',
      (realm) => void (realm.clientScopes = realm.clientScopes.filter(({ name }) => name !== 'refunds.read')),
      'error: refunds.read is not a client scope of the realm.',
    ],
    [
      'the audience of a permission',
      (realm) => void (scope(realm, 'stock.read').protocolMappers = []),
      'error: The client scope stock.read has no audience mapper, so its tokens have no audience.',
    ],
    [
      'a permission in the scope of tokens',
      (realm) => void (scope(realm, 'stock.read').attributes['include.in.token.scope'] = 'false'),
      'error: The client scope stock.read is not included in the scope of tokens, so nobody has the permission.',
    ],
    [
      'the right of a client to request a permission',
      (realm) => void (client(realm, 'orders').optionalClientScopes = []),
      'error: orders may not ask for stock.read.',
    ],
    [
      'a client that belongs to no module',
      (realm) => void realm.clients.pop(),
      'error: The realm has no client warehouse, which asks for stock.read.',
    ],
    [
      'a role that may hold a permission',
      (realm) => void (mapping(realm, 'refunds.write').roles = ['other']),
      'error: Users with the role clerk may not hold refunds.write.',
    ],
    [
      'a permission that everyone may hold',
      (realm) => void realm.scopeMappings.push({ clientScope: 'orders.read', roles: ['clerk'] }),
      'error: Everyone may hold orders.read by keycloak-permissions.json, but the realm gives it only with clerk.',
    ],
  ])('reports that the realm lacks %s', async (_, change, fault) => {
    expect(await faultsWith(change)).toContain(fault);
  });

  it.each<[string, string, string, string]>([
    ['gold', 'level 2', 'ok', 'refunds demands acr gold, which the browser flow reaches.'],
    ['2', 'level 2', 'ok', 'refunds demands acr 2, which the browser flow reaches.'],
    ['3', 'level 2', 'warning', 'refunds demands acr 3, but the browser flow reaches only level 2.'],
    ['gold', 'no level', 'warning', 'refunds demands acr gold, but the browser flow reaches only level 1.'],
    ['1', 'no level', 'ok', 'refunds demands acr 1, which the browser flow reaches.'],
    ['silver', 'level 2', 'error', 'refunds demands acr silver, but the realm maps no level of authentication to it.'],
  ])(
    'compares the level of authentication %s with a browser flow that has %s: %s',
    async (acr, flow, level, message) => {
      const demanding = { ...requirements, levels: [{ acr: [acr], services: ['refunds'] }] };
      const findings = await findingsWith(demanding, (realm) => {
        if (flow === 'no level') realm['browserFlow'] = 'browser';
      });
      expect(findings.filter(({ check }) => check === 'realm_settings')).toMatchObject([{ level, message }]);
    },
  );
});

it('realm check distinguishes a realm role from a client role with an equal dotted name', async () => {
  const faults = await faultsWith((realm) => {
    realm.roles.realm = [{ name: 'clerk', composites: { realm: ['refunds.agent'] } }];
    realm.clientScopeMappings = {};
    realm.scopeMappings.push({ clientScope: 'refunds.read', roles: ['clerk'] });
  });
  expect(faults).toContain('error: Users with the role agent of client refunds may not hold refunds.read.');
});

describe('realm check of a realm that can not work', () => {
  it.each<[string, (realm: RealmFile) => void, string]>([
    ['the realm is disabled', (realm) => void (realm['enabled'] = false), 'error: The realm is disabled.'],
    [
      'the realm file does not say that the realm is enabled',
      (realm) => void delete realm['enabled'],
      'error: The realm is disabled.',
    ],
    [
      'a planned client has no client scope with a mapper for sub',
      (realm) => void (client(realm, 'orders').defaultClientScopes = []),
      'error: No default scope of orders has a mapper for `sub`, so its tokens have no subject.',
    ],
    [
      'a client that requests a permission has no client scope with a mapper for sub',
      (realm) => void (client(realm, 'web').defaultClientScopes = []),
      'error: No default scope of web has a mapper for `sub`, so its tokens have no subject.',
    ],
    [
      'no client scope has a mapper for sub',
      (realm) => void scope(realm, 'basic').protocolMappers.shift(),
      'error: No default scope of refunds has a mapper for `sub`, so its tokens have no subject.',
    ],
    [
      'the mapper for sub is not for access tokens',
      (realm) => void (scope(realm, 'basic').protocolMappers[0]!.config['access.token.claim'] = 'false'),
      'error: No default scope of refunds has a mapper for `sub`, so its tokens have no subject.',
    ],
    [
      'a planned client has the protocol saml',
      (realm) => void (client(realm, 'refunds')['protocol'] = 'saml'),
      'error: refunds is no client of OpenID Connect.',
    ],
    [
      'a client that requests a permission has the protocol saml',
      (realm) => void (client(realm, 'web')['protocol'] = 'saml'),
      'error: web is no client of OpenID Connect.',
    ],
    [
      'a permission has the protocol saml',
      (realm) => void Object.assign(scope(realm, 'stock.read'), { protocol: 'saml' }),
      'error: The client scope stock.read is not for OpenID Connect.',
    ],
    [
      'a realm role in the policy does not exist',
      (realm) => {
        realm.roles.realm = [];
        realm.users = [];
      },
      'error: The realm has no role clerk.',
    ],
    [
      'a client role in the policy does not exist',
      (realm) => void Object.assign(realm.roles, { client: {} }),
      'error: The realm has no role agent of client refunds.',
    ],
  ])('reports an error if %s', async (_, change, fault) => {
    expect(await faultsWith(change)).toContain(fault);
  });

  it.each<[string, (realm: RealmFile) => void]>([
    ['is absent', (realm) => void (realm.clients = realm.clients.filter(({ clientId }) => clientId !== 'inventory'))],
    ['is disabled', (realm) => void (client(realm, 'inventory')['enabled'] = false)],
  ])('reports an error if the client of a called service belongs to no module and %s', async (_, change) => {
    const others = requirements.clients.filter(({ clientId }) => clientId !== 'inventory');
    const required = { ...requirements, clients: others, otherClients: ['inventory', 'warehouse', 'web'] };
    expect((await findingsWith(required, change)).filter(({ level }) => level === 'error')).toMatchObject([
      { message: 'The realm has no enabled client inventory, so Keycloak exchanges no token for it.' },
    ]);
    expect((await findingsWith(required, () => undefined)).filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('reports no error for an undefined role that a user has, or whose client is built-in', async () => {
    const required = {
      ...requirements,
      permissions: requirements.permissions.map((each) =>
        each.name === 'stock.read' ? { ...each, roles: ['clerk', { client: 'realm-management', role: 'x' }] } : each,
      ),
    };
    const findings = await findingsWith(required, (realm) => {
      realm.roles.realm = [];
      realm.clientScopeMappings['realm-management'] = [{ clientScope: 'stock.read', roles: ['x'] }];
    });
    expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('realm check of a realm that grants more rights than the service needs', () => {
  it.each<[string, (realm: RealmFile) => void, string]>([
    [
      'everyone may hold a permission that needs a realm role',
      (realm) => void (realm.scopeMappings = realm.scopeMappings.filter((each) => each.clientScope !== 'stock.read')),
      'error: Every user and service account may hold stock.read, but only clerk may by keycloak-permissions.json.',
    ],
    [
      'everyone may hold a permission that needs a client role',
      (realm) => void (realm.clientScopeMappings = {}),
      'error: Every user and service account may hold refunds.read, but only agent of client refunds may by keycloak-permissions.json.',
    ],
    [
      'a further role may hold a permission',
      (realm) => mapping(realm, 'stock.read').roles.push('guest'),
      'warning: Users with the role guest may hold stock.read, which keycloak-permissions.json does not say.',
    ],
    [
      'a further role may hold a permission as part of a composite role',
      (realm) =>
        void (realm.roles.realm = [{ name: 'clerk', composites: { realm: ['part'], client: { web: ['x'] } } }]),
      'warning: Users with the role part may hold stock.read, which keycloak-permissions.json does not say.',
    ],
    [
      'everyone has a role that may hold a permission',
      (realm) => mapping(realm, 'stock.read').roles.push('default-roles-shop'),
      "error: Every user and service account may hold stock.read, because the realm's default role gives everyone the role default-roles-shop.",
    ],
    [
      'the default role contains a role that may hold a permission',
      (realm) => realm.roles.realm.push({ name: 'default-roles-shop', composites: { realm: ['clerk'] } }),
      "error: Every user and service account may hold stock.read, because the realm's default role gives everyone the role clerk.",
    ],
    [
      'a role that every account has may hold a permission, and the file has no client account',
      (realm) => void (realm.clientScopeMappings['account'] = [{ clientScope: 'stock.read', roles: ['view-profile'] }]),
      "error: Every user and service account may hold stock.read, because the realm's default role gives everyone the role view-profile of client account.",
    ],
    [
      'a default group has a role that may hold a permission',
      (realm) => {
        realm['groups'] = [{ name: 'staff', realmRoles: ['clerk'], subGroups: [{ name: 'team' }] }, { name: 'sta' }];
        realm['defaultGroups'] = ['/sta', '/staff/team'];
      },
      'warning: Each new user may hold stock.read, because the default group /staff/team has the role clerk.',
    ],
    [
      'each new client may request a permission',
      (realm) => void (realm['defaultOptionalClientScopes'] = ['stock.read']),
      'warning: Each new client of the realm may ask for stock.read.',
    ],
    [
      'each token of each new client has the audience of a planned service',
      (realm) => {
        realm['defaultDefaultClientScopes'] = ['b-audience'];
        const attributes = { 'include.in.token.scope': 'false' };
        realm.clientScopes.push({ ...structuredClone(scope(realm, 'stock.read')), name: 'b-audience', attributes });
      },
      'warning: Each token of each new client is for inventory, because b-audience is a default client scope of the realm.',
    ],
    [
      'a client may request a permission that it does not need',
      (realm) => client(realm, 'web').optionalClientScopes.push('stock.read'),
      'warning: web may ask for stock.read, which no module needs.',
    ],
    [
      'a client without listed scopes may request a default scope of the realm',
      (realm) => {
        realm['defaultOptionalClientScopes'] = ['stock.read'];
        realm.clients.push({ clientId: 'new', fullScopeAllowed: false } as never);
      },
      'warning: new may ask for stock.read, which no module needs.',
    ],
    [
      'every token of a client contains a permission',
      (realm) => client(realm, 'orders').defaultClientScopes.push('stock.read'),
      'warning: stock.read is a default scope of orders, so each of its tokens gets it.',
    ],
    [
      'a permission also has the audience of another service',
      (realm) =>
        scope(realm, 'stock.read').protocolMappers.push(
          ...structuredClone(scope(realm, 'orders.read').protocolMappers),
        ),
      'warning: The client scope stock.read is also for orders, so a token stolen at one service opens the others.',
    ],
    [
      'no module needs a permission for a planned service',
      (realm) => void realm.clientScopes.push({ ...structuredClone(scope(realm, 'stock.read')), name: 'stock.write' }),
      'warning: The client scope stock.write is for inventory, but no module demands it.',
    ],
    [
      'every token of a client has the audience of a planned service',
      (realm) => void (client(realm, 'web')['protocolMappers'] = scope(realm, 'stock.read').protocolMappers),
      'warning: Each token of web is for inventory, whatever its scope, so it opens routes of inventory that demand no permission.',
    ],
    [
      'a client exchanges tokens without a need',
      (realm) => void (client(realm, 'refunds').attributes['standard.token.exchange.enabled'] = 'true'),
      'warning: refunds may exchange tokens, but its module makes no call on behalf of callers.',
    ],
    [
      'the tokens of a client contain all roles of the user',
      (realm) => void delete client(realm, 'refunds')['fullScopeAllowed'],
      'warning: refunds has "Full scope allowed", so its tokens contain all roles of their user.',
    ],
    [
      'a service account has a role that may hold a permission',
      (realm) => {
        client(realm, 'refunds')['serviceAccountsEnabled'] = true;
        realm.users.push({ serviceAccountClientId: 'refunds', realmRoles: ['clerk'] });
      },
      'warning: The service account of refunds has the role clerk, which "serviceAccounts" does not name.',
    ],
    [
      'a realm role with the dotted name of a client role may hold a permission',
      (realm) => {
        realm.clientScopeMappings = {};
        realm.scopeMappings.push({ clientScope: 'refunds.read', roles: ['refunds.agent'] });
      },
      'warning: Users with the role refunds.agent may hold refunds.read, which keycloak-permissions.json does not say.',
    ],
  ])('reports that %s', async (_, change, fault) => {
    expect(await faultsWith(change)).toContain(fault);
  });

  it('does not report roles of the client account if the realm file defines this client', async () => {
    const faults = await faultsWith((realm) => {
      realm.clients.push({ clientId: 'account', fullScopeAllowed: false } as never);
      realm.clientScopeMappings['account'] = [{ clientScope: 'stock.read', roles: ['view-profile'] }];
    });
    expect(faults.filter((fault) => fault.startsWith('error'))).toEqual([]);
  });

  it('notes a permission that no client may request, unless each new client may', async () => {
    const notesWith = async (change: (realm: RealmFile) => void): Promise<readonly string[]> =>
      (await findingsWith(requirements, change))
        .filter(({ level, message }) => level === 'note' && message.startsWith('No client'))
        .map(({ message }) => message);
    expect(await notesWith(() => undefined)).toContain('No client may ask for refunds.read.');
    expect(await notesWith((realm) => void (realm['defaultOptionalClientScopes'] = ['refunds.read']))).not.toContain(
      'No client may ask for refunds.read.',
    );
  });

  it('advises against a URL as the audience of a permission', async () => {
    const findings = await findingsWith(requirements, (realm) => {
      const [mapper] = scope(realm, 'stock.read').protocolMappers;
      const { 'included.client.audience': _, ...config } = mapper!.config;
      mapper!.config = { ...config, 'included.custom.audience': 'https://stock.example.com' };
    });
    const [fault] = findings.filter(({ message }) => message.includes('is for https://stock.example.com, not for'));
    expect(fault?.cure).toMatch(/choose the client inventory \(Included Client Audience\) in place of the URL/);
  });

  it('does not report a permission that the policy names', async () => {
    const change = (realm: RealmFile): void =>
      void realm.clientScopes.push({ ...structuredClone(scope(realm, 'stock.read')), name: 'stock.write' });
    expect(await faultsWith(change, ['stock.write'])).toEqual([]);
  });
});

import { randomUUID } from 'node:crypto';

type Members = Readonly<Record<string, unknown>>;

interface Realm {
  readonly clients: readonly Members[];
  readonly clientScopes: readonly Members[];
  readonly users: readonly Members[];
  readonly roles: Members;
  readonly clientScopeMappings: { readonly 'realm-management': readonly Members[] };
}

export const CLIENT_ROLE_SECRET = 'the-secret';

const KINDS = ['access', 'id', 'userinfo', 'introspection'];
const switches = (value: string) => Object.fromEntries(KINDS.map((kind) => [`${kind}.token.claim`, value]));

const EVERYWHERE = { ...switches('true'), multivalued: 'true' };
const NOWHERE = switches('false');
const REALM_ACCESS = { ...EVERYWHERE, 'claim.name': 'realm_access.roles' };

const OF_CLIENT = 'oidc-usermodel-client-role-mapper';
const PREFIX = 'usermodel.clientRoleMapping.rolePrefix';
const REALM_PREFIX = 'usermodel.realmRoleMapping.rolePrefix';

type Config = Readonly<Record<string, string>>;

const mapper = (protocolMapper: string, config: Config) => ({
  name: randomUUID(),
  protocol: 'openid-connect',
  protocolMapper,
  config,
});

const ofClient = (clientId: string, config: Config) =>
  mapper(OF_CLIENT, { 'usermodel.clientRoleMapping.clientId': clientId, ...config });

const ofRealm = (config: Config) => mapper('oidc-usermodel-realm-role-mapper', config);

const permissions = { ...EVERYWHERE, 'claim.name': 'permissions' };

const MAPPERS = {
  'prefixed-roles': [ofClient('orders', { ...permissions, [PREFIX]: 'orders:' })],
  'prefixed-by-client': [mapper(OF_CLIENT, { ...permissions, [PREFIX]: '${client_id}/' })],
  'prefixed-by-one-client': [ofClient('orders', { ...permissions, [PREFIX]: '${client_id}/' })],
  'resource-access': [mapper(OF_CLIENT, { ...EVERYWHERE, 'claim.name': 'resource_access.${client_id}.roles' })],
  'nested-claim': [mapper(OF_CLIENT, { ...EVERYWHERE, 'claim.name': 'by.${client_id}.granted' })],
  'escaped-claim': [ofClient('orders', { ...EVERYWHERE, 'claim.name': String.raw`https://example\.com/roles` })],
  'one-value': [ofClient('stock.v1', { ...permissions, multivalued: 'false' })],
  'no-claim-name': [mapper(OF_CLIENT, EVERYWHERE)],
  'no-such-client': [ofClient('no-such', permissions)],
  'two-mappers': [ofRealm({ ...permissions, [REALM_PREFIX]: 'realm:' }), ofClient('stock.v1', permissions)],
  'same-mapper-twice': [ofRealm(permissions), ofRealm(permissions)],
  'same-access-twice': [ofRealm(REALM_ACCESS), ofRealm(REALM_ACCESS)],
  'introspection-alone': [ofClient('orders', { ...permissions, ...NOWHERE, 'introspection.token.claim': 'true' })],
  'without-introspection': [ofClient('orders', { ...permissions, 'introspection.token.claim': 'false' })],
  'two-switches': [
    ofClient('orders', {
      'claim.name': 'permissions',
      multivalued: 'true',
      'access.token.claim': 'true',
      'id.token.claim': 'true',
    }),
  ],
  'nested-attribute': [
    mapper('oidc-usermodel-attribute-mapper', {
      ...EVERYWHERE,
      multivalued: 'false',
      'user.attribute': 'username',
      'claim.name': 'by.name',
      'jsonType.label': 'String',
    }),
  ],
  'resolved-audience': [mapper('oidc-audience-resolve-mapper', { 'id.token.claim': 'true' })],
  'id-token-audience': [
    mapper('oidc-audience-mapper', { ...NOWHERE, 'included.client.audience': 'stock.v1', 'id.token.claim': 'true' }),
  ],
} as const;

export type MappedClient = keyof typeof MAPPERS;

const confidential = (clientId: string) => ({
  clientId,
  secret: CLIENT_ROLE_SECRET,
  publicClient: false,
  standardFlowEnabled: false,
  fullScopeAllowed: false,
  defaultClientScopes: ['basic'],
});

const forLogins = (clientId: string) => ({
  clientId,
  publicClient: true,
  standardFlowEnabled: false,
  directAccessGrantsEnabled: true,
  fullScopeAllowed: true,
  defaultClientScopes: ['basic', 'roles'],
});

const CLIENTS = [
  confidential('stock.v1'),
  confidential('retired'),
  {
    ...confidential('orders'),
    fullScopeAllowed: true,
    defaultClientScopes: ['basic', 'roles'],
    optionalClientScopes: ['orders.write', 'stock.count'],
    attributes: { 'standard.token.exchange.enabled': 'true' },
  },
  { ...confidential('machine'), serviceAccountsEnabled: true, fullScopeAllowed: true, defaultClientScopes: ['roles'] },
  forLogins('full-scope'),
  { ...forLogins('narrow'), fullScopeAllowed: false, optionalClientScopes: ['orders.write'] },
  ...Object.entries(MAPPERS).map(([clientId, protocolMappers]) => ({
    ...forLogins(clientId),
    defaultClientScopes: ['basic', 'for-orders'],
    protocolMappers,
  })),
];

const scope = (name: string, protocolMappers: readonly object[] = []) => ({
  name,
  protocol: 'openid-connect',
  attributes: { 'include.in.token.scope': 'true' },
  protocolMappers,
});

const SCOPES = [
  scope('for-orders', [
    mapper('oidc-audience-mapper', { 'included.client.audience': 'orders', 'access.token.claim': 'true' }),
  ]),
  scope('orders.write'),
  scope('stock.count'),
];

const user = (username: string, clientRoles: Readonly<Record<string, readonly string[]>>, more: object = {}) => ({
  username,
  enabled: true,
  email: `${username}@example.com`,
  firstName: 'Test',
  lastName: 'User',
  credentials: [{ type: 'password', value: username }],
  realmRoles: [],
  clientRoles,
  ...more,
});

const USERS = [
  user(
    'dora',
    { orders: ['read', 'write'], 'stock.v1': ['count'], narrow: ['enter'] },
    { realmRoles: ['order-viewer'] },
  ),
  user('eve', { orders: ['read'] }),
  user('frank', { retired: ['rest'] }),
  user('grace', { 'realm-management': ['view-events'] }),
  {
    username: 'service-account-machine',
    enabled: true,
    serviceAccountClientId: 'machine',
    clientRoles: { orders: ['read'] },
  },
];

export const clientRolesOf = ({ clients, clientScopes, users, roles, clientScopeMappings }: Realm) => ({
  clients: [...clients, ...CLIENTS],
  clientScopes: [...clientScopes, ...SCOPES],
  users: [...users, ...USERS],
  roles: {
    ...roles,
    client: {
      orders: [{ name: 'read' }, { name: 'write' }],
      'stock.v1': [{ name: 'count' }],
      narrow: [{ name: 'enter' }],
      retired: [{ name: 'rest' }],
    },
  },
  clientScopeMappings: {
    ...clientScopeMappings,
    orders: [
      { client: 'narrow', roles: ['read'] },
      { clientScope: 'orders.write', roles: ['write'] },
      { clientScope: 'stock.count', roles: ['write'] },
    ],
  },
});

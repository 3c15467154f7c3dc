import type { MappedClient } from './client-role-realm.js';
import type { ContractCase } from './expectations.js';
import { ALL, everywhere, NARROW, ORDERS, ownRealm, STOCK, VIEWER, type Members } from './seen-roles.js';

const PERMISSIONS = { permissions: ['read', 'write'] };

/** The audience of an ID token is its client, and userinfo has no audience. */
const inTokens = (members: Members, client: string, audience: unknown = 'orders') => ({
  access: { aud: audience, ...members },
  id: { aud: client, ...members },
  userinfo: members,
  introspection: { aud: audience, ...members },
});

interface MapperCase {
  readonly client: MappedClient;
  readonly title: string;
  readonly answer: unknown;
}

const inAll = (client: MappedClient, title: string, members: Members): MapperCase => ({
  client,
  title,
  answer: inTokens(members, client),
});

const MAPPER_CASES: readonly MapperCase[] = [
  inAll('prefixed-roles', 'of one client, with a prefix', { permissions: ['orders:read', 'orders:write'] }),
  inAll('prefixed-by-client', 'of all clients, with the client id in the prefix', {
    permissions: ['narrow/enter', 'orders/read', 'orders/write', 'stock.v1/count'],
  }),
  inAll('prefixed-by-one-client', 'of one client: does not fill the placeholder of the prefix', {
    permissions: ['${client_id}/read', '${client_id}/write'],
  }),
  inAll('resource-access', 'of all clients, in the claim resource_access', {
    resource_access: { ...ORDERS, ...STOCK, ...NARROW },
  }),
  inAll('nested-claim', 'of all clients, in another nested claim', {
    by: { orders: { granted: ['read', 'write'] }, 'stock.v1': { granted: ['count'] }, narrow: { granted: ['enter'] } },
  }),
  inAll('escaped-claim', 'with a backslash before a dot of the claim name', {
    'https://example.com/roles': ['read', 'write'],
  }),
  inAll('one-value', 'that is not multivalued', { permissions: 'count' }),
  inAll('no-claim-name', 'without a claim name: adds no claim', {}),
  inAll('no-such-client', 'of an unknown client: adds no claim', {}),
  inAll('two-mappers', 'of a client, after a mapper of realm roles with a prefix: one claim has all roles', {
    permissions: ['count', 'realm:order-viewer'],
  }),
  inAll('same-mapper-twice', 'of the realm, twice: the claim has each role twice', {
    permissions: ['order-viewer', 'order-viewer'],
  }),
  {
    client: 'same-access-twice',
    title: 'of the realm, twice in realm_access: only the ID token has the role twice',
    answer: {
      ...inTokens(VIEWER, 'same-access-twice'),
      id: { aud: 'same-access-twice', realm_access: { roles: ['order-viewer', 'order-viewer'] } },
    },
  },
  {
    client: 'introspection-alone',
    title: 'for introspection only',
    answer: { ...inTokens({}, 'introspection-alone'), introspection: { aud: 'orders', ...PERMISSIONS } },
  },
  {
    client: 'without-introspection',
    title: 'for tokens and userinfo, not for introspection',
    answer: { ...inTokens(PERMISSIONS, 'without-introspection'), introspection: { aud: 'orders' } },
  },
  inAll('two-switches', 'for tokens, without the switches of introspection and userinfo', PERMISSIONS),
  inAll('nested-attribute', 'of a user attribute, in a nested claim', { by: { name: 'dora' } }),
  {
    client: 'resolved-audience',
    title: 'of resolved audiences, without switches: access token and introspection have the audiences',
    answer: inTokens({}, 'resolved-audience', ALL.aud),
  },
  {
    client: 'id-token-audience',
    title: 'of an audience, for the ID token only',
    answer: { ...inTokens({}, 'id-token-audience'), id: { aud: ['id-token-audience', 'stock.v1'] } },
  },
];

export const ROLE_MAPPER_CASES: readonly ContractCase[] = MAPPER_CASES.map(({ client, title, answer: expected }) => ({
  title,
  ask: async (server) => everywhere(await ownRealm(server), client),
  answer: expected,
}));

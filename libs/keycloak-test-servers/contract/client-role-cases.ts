import { CLIENT_ROLE_SECRET } from './client-role-realm.js';
import { claimsOf } from './demo-realm.js';
import { invalidRequest, type ContractCase } from './expectations.js';
import { answer, claims } from './observations.js';
import { clientCredentials, exchange, introspect, login, textOf, type Form, type Reply } from './requests.js';
import {
  ALL,
  callerNamed,
  everywhere,
  NARROW,
  ORDERS,
  ownRealm,
  rolesIn,
  STOCK,
  VIEWER,
  type Members,
} from './seen-roles.js';
import type { ContractServer } from './server.js';
import { pathOf } from './token-sets.js';

const rolesOf = (reply: Reply): Members => rolesIn(claims(reply));

async function exchanged(server: ContractServer, form: Form): Promise<{ own: ContractServer; reply: Reply }> {
  const own = await ownRealm(server);
  const subject = textOf(await login(own, 'dora', 'openid', 'full-scope'));
  return { own, reply: await exchange(own, callerNamed('orders'), subject, form) };
}

export const CLIENT_ROLE_CASES: readonly ContractCase[] = [
  {
    title: 'with full scope: the scope "roles" adds roles and audiences to access token and introspection',
    ask: async (server) => everywhere(await ownRealm(server), 'full-scope'),
    answer: { access: ALL, id: { aud: 'full-scope' }, userinfo: {}, introspection: ALL },
  },
  {
    title: "without full scope: the client sees its own roles, and the other clients' roles of its scope mappings",
    ask: async (server) => rolesOf(await login(await ownRealm(server), 'dora', 'openid', 'narrow')),
    answer: { aud: 'orders', resource_access: { orders: { roles: ['read'] }, ...NARROW } },
  },
  {
    title: 'without full scope, with a client scope that maps a role: adds this role, if the user has it',
    async ask(server) {
      const own = await ownRealm(server);
      const replies = [
        await login(own, 'dora', 'orders.write', 'narrow'),
        await login(own, 'eve', 'orders.write', 'narrow'),
      ];
      return replies.map((reply) => [reply.members['scope'], rolesOf(reply)]);
    },
    answer: [
      ['orders.write', { aud: 'orders', resource_access: { ...ORDERS, ...NARROW } }],
      ['', { aud: 'orders', resource_access: { orders: { roles: ['read'] } } }],
    ],
  },
  {
    title: 'of a service account',
    ask: async (server) => rolesOf(await clientCredentials(await ownRealm(server), callerNamed('machine'))),
    answer: { aud: 'orders', resource_access: { orders: { roles: ['read'] } } },
  },
  {
    title: 'of realm-management',
    ask: async (server) => rolesOf(await login(await ownRealm(server), 'grace', 'openid', 'full-scope')),
    answer: { aud: 'realm-management', resource_access: { 'realm-management': { roles: ['view-events'] } } },
  },
  {
    title: 'of the introspection of an ID token: as for an access token',
    async ask(server) {
      const own = await ownRealm(server);
      const machine = callerNamed('machine');
      const token = textOf(await clientCredentials(own, machine, 'openid'), 'id_token');
      return [rolesIn(claimsOf(token)), rolesIn((await introspect(own, machine, token)).members)];
    },
    answer: [{ aud: 'machine' }, { aud: ['machine', 'orders'], resource_access: { orders: { roles: ['read'] } } }],
  },
  {
    title: 'after the deletion of their client: a new client with the same id has no roles',
    async ask(server) {
      const own = await ownRealm(server);
      const before = rolesOf(await login(own, 'frank', 'openid', 'full-scope'));
      await own.administrator.change('DELETE', await pathOf(own, 'retired'));
      await own.administrator.create('/clients', { clientId: 'retired', secret: CLIENT_ROLE_SECRET });
      return [before, rolesOf(await login(own, 'frank', 'openid', 'full-scope'))];
    },
    answer: [{ aud: 'retired', resource_access: { retired: { roles: ['rest'] } } }, {}],
  },
  {
    title: 'after an exchange: the token has all roles, and the audiences without the client itself',
    ask: async (server) => rolesOf((await exchanged(server, {})).reply),
    answer: { ...ALL, aud: ['narrow', 'stock.v1'] },
  },
  {
    title: 'after an exchange for an audience: the token has only the roles of the audience, and introspection has all',
    async ask(server) {
      const { own, reply } = await exchanged(server, { audience: 'stock.v1' });
      return [rolesOf(reply), rolesIn((await introspect(own, callerNamed('stock.v1'), textOf(reply))).members)];
    },
    answer: [
      { ...VIEWER, aud: 'stock.v1', resource_access: STOCK },
      { ...ALL, aud: ['narrow', 'stock.v1'] },
    ],
  },
  {
    title:
      'after an exchange with a client scope that maps a role of another client than the audience: omits the scope',
    async ask(server) {
      const scope = 'stock.count';
      const replies = [
        await exchanged(server, { scope }),
        await exchanged(server, { scope, audience: 'stock.v1' }),
        await exchanged(server, [
          ['scope', scope],
          ['audience', 'stock.v1'],
          ['audience', 'narrow'],
        ]),
      ];
      return replies.map(({ reply }) => reply.members['scope']);
    },
    answer: ['stock.count', '', ''],
  },
  {
    title: 'after an exchange for the client itself: is refused',
    async ask(server) {
      const { own, reply } = await exchanged(server, { audience: 'orders' });
      return answer(own, reply);
    },
    answer: invalidRequest('Requested audience not available: orders'),
  },
];

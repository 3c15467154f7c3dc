import { INACTIVE, refused, type ContractCase } from './expectations.js';
import { administered, answer, tokenAnswer } from './observations.js';
import { exchange, introspect, login, request, textOf, token } from './requests.js';
import type { ContractServer } from './server.js';

const LOGIN = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: 'admin' } as const;
const UNAUTHORIZED = { status: 401, json: { error: 'HTTP 401 Unauthorized' } };
const FORBIDDEN = { status: 403, json: { error: 'HTTP 403 Forbidden' } };
const NOT_ALLOWED = { status: 405, json: { error: 'HTTP 405 Method Not Allowed' } };
const unparsed = (error: string) => ({ status: 400, json: { error, error_description: 'Cannot parse the JSON' } });

const master = (server: ContractServer): ContractServer => ({ ...server, issuer: `${server.baseUrl}/realms/master` });

const REQUESTS = [
  ['GET', ''],
  ['GET', '/users'],
  ['POST', '/users'],
  ['GET', '/users/no-such'],
  ['DELETE', '/users/no-such'],
  ['GET', '/roles/order-viewer'],
  ['GET', '/clients'],
  ['DELETE', '/sessions/no-such'],
] as const;

export const MASTER_CASES: readonly ContractCase[] = [
  {
    title: 'issues an administrator token that has the issuer of the realm master and few claims',
    ask: async (server) => tokenAnswer(master(server), await token(master(server), LOGIN)),
    answer: {
      status: 200,
      token_type: 'Bearer',
      expires_in: 60,
      refresh_expires_in: 1800,
      refresh_token: '<string>',
      'not-before-policy': 0,
      session_state: '<sid>',
      scope: ['email', 'profile'],
      accessToken: {
        header: { alg: 'RS256', typ: 'JWT', kid: '<string>' },
        claims: {
          lifetime: 60,
          jti: 'onltro:<uuid>',
          iss: '<issuer>',
          typ: 'Bearer',
          azp: 'admin-cli',
          sid: '<sid>',
          scope: ['email', 'profile'],
        },
      },
    },
  },
  {
    title: 'refuses a wrong password, and a client of another realm',
    ask: async (server) => [
      answer(server, await token(master(server), { ...LOGIN, password: 'wrong' })),
      answer(server, await token(master(server), { ...LOGIN, client_id: 'demo-cli' })),
    ],
    answer: [
      refused(400, 'invalid_grant', 'Invalid user credentials'),
      refused(401, 'invalid_client', 'Invalid client or Invalid client credentials'),
    ],
  },
  {
    title: 'has a separate discovery document and separate keys',
    async ask(server) {
      const certs = '/protocol/openid-connect/certs';
      const [ours, others] = [await request(server, certs), await request(master(server), certs)];
      const kids = [ours, others].map(({ members }) => (members['keys'] as { kid: string }[]).map(({ kid }) => kid));
      const { members } = await request(master(server), '/.well-known/openid-configuration');
      return [members['issuer'] === `${server.baseUrl}/realms/master`, kids[0]?.some((kid) => kids[1]?.includes(kid))];
    },
    answer: [true, false],
  },
  {
    title: 'issues tokens that are not valid in another realm',
    async ask(server) {
      const foreign = textOf(await token(master(server), LOGIN));
      return [
        answer(server, await introspect(server, 'service-a', foreign)),
        answer(server, await exchange(server, 'service-a', foreign, { scope: 'orders.approve' })),
      ];
    },
    answer: [INACTIVE, refused(400, 'invalid_request', 'Invalid token')],
  },
];

export const ADMIN_API_CASES: readonly ContractCase[] = [
  {
    title: 'refuses a missing or malformed token',
    async ask(server) {
      const refreshToken = textOf(await token(master(server), LOGIN), 'refresh_token');
      const presented = [null, 'Bearer junk', 'Basic YWRtaW46YWRtaW4=', `Bearer ${refreshToken}`];
      return Promise.all(
        presented.map(async (authorization) =>
          administered(server, await server.administrator.ask('GET', '/users', { authorization })),
        ),
      );
    },
    answer: [UNAUTHORIZED, UNAUTHORIZED, UNAUTHORIZED, UNAUTHORIZED],
  },
  {
    title: 'refuses a request that has no token, even for an unknown realm or path',
    async ask(server) {
      const { administrator } = server;
      return [
        await administered(server, await administrator.ask('GET', '/users', { authorization: null, realm: 'no-such' })),
        await administered(server, await administrator.ask('GET', '/no-such', { authorization: null })),
      ];
    },
    answer: [UNAUTHORIZED, UNAUTHORIZED],
  },
  ...REQUESTS.map(([method, path]): ContractCase => ({
    title: `refuses a user of the realm: ${method} ${path}`,
    async ask(server) {
      const authorization = `Bearer ${textOf(await login(server, 'alice'))}`;
      const body = method === 'POST' ? { username: 'mallory' } : undefined;
      return administered(server, await server.administrator.ask(method, path, { authorization, body }));
    },
    answer: FORBIDDEN,
  })),
  {
    title: 'answers 404 for an unknown realm',
    ask: async (server) => administered(server, await server.administrator.ask('GET', '/users', { realm: 'no-such' })),
    answer: { status: 404, json: { error: 'Realm not found.' } },
  },
  {
    title: 'refuses methods that a path does not support',
    ask: async (server) => administered(server, await server.administrator.ask('PATCH', '/users')),
    answer: NOT_ALLOWED,
  },
  {
    title: 'refuses a body that is not JSON or has a wrong structure',
    async ask(server) {
      const { administrator } = server;
      const [alice] = await administrator.read<{ id: string }[]>('/users?exact=true&username=alice');
      const contentType = 'application/x-www-form-urlencoded';
      return [
        await administered(server, await administrator.ask('POST', '/users', { body: '{nope' })),
        await administered(
          server,
          await administrator.ask('POST', `/users/${alice?.id}/role-mappings/realm`, { body: {} }),
        ),
        (await administrator.ask('POST', '/users', { body: 'username=mallory', contentType })).status,
      ];
    },
    answer: [unparsed('invalid_request'), unparsed('unknown_error'), 415],
  },
  {
    title: 'returns the settings of the realm, and accepts changes of some settings',
    async ask(server) {
      const wanted = ['realm', 'enabled', 'accessTokenLifespan', 'ssoSessionIdleTimeout', 'ssoSessionMaxLifespan'];
      return [
        await administered(server, await server.administrator.ask('PUT', '', { body: { accessTokenLifespan: 300 } })),
        await administered(server, await server.administrator.ask('GET', ''), wanted),
      ];
    },
    answer: [
      { status: 204 },
      {
        status: 200,
        json: {
          realm: 'microservices',
          enabled: true,
          accessTokenLifespan: 300,
          ssoSessionIdleTimeout: 1800,
          ssoSessionMaxLifespan: 36_000,
        },
      },
    ],
  },
];

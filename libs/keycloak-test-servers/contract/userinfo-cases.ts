import { ALICE, type ContractCase } from './expectations.js';
import { answer } from './observations.js';
import { clientCredentials, exchange, login, logout, request, revoke, textOf, type Reply } from './requests.js';
import { callerOf, type ContractServer } from './server.js';

const { sid: _, acr: __, ...PROFILE } = ALICE;
const USERINFO = { status: 200, sub: '<uuid>', ...PROFILE };

const userinfo = (server: ContractServer, token?: string, init: RequestInit = {}): Promise<Reply> =>
  request(server, '/protocol/openid-connect/userinfo', {
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    ...init,
  });

const refusal = ({ status, headers, text }: Reply) => [status, headers.get('www-authenticate'), text];

const challenge = (error: string, description: string): string =>
  `Bearer realm="microservices", error="${error}", error_description="${description}"`;
const NO_TOKEN = [401, 'Bearer realm="microservices"', ''];
const BAD_TOKEN = [401, challenge('invalid_token', 'Token verification failed'), ''];
const NO_SESSION = [401, challenge('invalid_token', 'user_session_not_found'), ''];
const NO_OPENID = [403, challenge('insufficient_scope', 'Missing openid scope'), ''];

const exchanged = async (server: ContractServer, scope: string): Promise<string> =>
  textOf(await exchange(server, 'service-a', textOf(await login(server, 'alice')), { scope }));

export const USERINFO_CASES: readonly ContractCase[] = [
  {
    title: 'of alice, by GET and by POST, with the token in the header or in the form',
    async ask(server) {
      const token = textOf(await login(server, 'alice'));
      const body = new URLSearchParams({ access_token: token });
      return [
        answer(server, await userinfo(server, token)),
        answer(server, await userinfo(server, token, { method: 'POST' })),
        answer(server, await userinfo(server, undefined, { method: 'POST', body })),
      ];
    },
    answer: [USERINFO, USERINFO, USERINFO],
  },
  {
    title: 'of a service account',
    ask: async (server) =>
      answer(server, await userinfo(server, textOf(await clientCredentials(server, 'service-a', 'openid')))),
    answer: {
      status: 200,
      sub: '<uuid>',
      email_verified: false,
      preferred_username: 'service-account-service-a',
    },
  },
  {
    title: 'of an exchanged token, whose audience does not matter',
    ask: async (server) => answer(server, await userinfo(server, await exchanged(server, 'openid orders.approve'))),
    answer: USERINFO,
  },
  {
    title: 'is answered with JSON that must not be cached',
    async ask(server) {
      const { headers } = await userinfo(server, textOf(await login(server, 'alice')));
      return [headers.get('content-type'), headers.get('cache-control')];
    },
    answer: ['application/json', 'no-store, no-cache'],
  },
  {
    title: 'of an exchanged token or an original token, if openid is missing',
    ask: async (server) => [
      refusal(await userinfo(server, textOf(await login(server, 'alice', 'orders.read')))),
      refusal(await userinfo(server, await exchanged(server, 'orders.approve'))),
    ],
    answer: [NO_OPENID, NO_OPENID],
  },
  {
    title: 'without a token, with a token in the query, or by Basic',
    ask: async (server) => [
      refusal(await userinfo(server)),
      refusal(await userinfo(server, undefined, { method: 'POST' })),
      refusal(await userinfo(server, undefined, { headers: { authorization: 'Basic abc' } })),
    ],
    answer: [NO_TOKEN, NO_TOKEN, NO_TOKEN],
  },
  {
    title: 'with two tokens',
    async ask(server) {
      const token = textOf(await login(server, 'alice'));
      const body = new URLSearchParams({ access_token: token });
      return refusal(await userinfo(server, token, { method: 'POST', body }));
    },
    answer: [400, challenge('invalid_request', 'More than one method used for including an access token'), ''],
  },
  {
    title: 'with junk, an ID token, a refresh token, a token of another issuer',
    async ask(server) {
      const tokens = await login(server, 'alice');
      return [
        refusal(await userinfo(server, 'junk')),
        refusal(await userinfo(server, textOf(tokens, 'id_token'))),
        refusal(await userinfo(server, textOf(tokens, 'refresh_token'))),
        refusal(await userinfo(server, await server.administrator.token())),
      ];
    },
    answer: [BAD_TOKEN, BAD_TOKEN, BAD_TOKEN, BAD_TOKEN],
  },
  {
    title: 'with a revoked token, or a token whose session has ended',
    async ask(server) {
      const [one, two] = [await login(server, 'alice'), await login(server, 'alice')];
      await revoke(server, undefined, textOf(one), { client_id: 'demo-cli' });
      await logout(server, textOf(two, 'refresh_token'));
      return [refusal(await userinfo(server, textOf(one))), refusal(await userinfo(server, textOf(two)))];
    },
    answer: [BAD_TOKEN, NO_SESSION],
  },
  {
    title: 'with an invalid token that also lacks openid: reports the missing scope first',
    async ask(server) {
      const tokens = await login(server, 'alice', 'orders.read');
      await logout(server, textOf(tokens, 'refresh_token'));
      return refusal(await userinfo(server, textOf(tokens)));
    },
    answer: NO_OPENID,
  },
  {
    title: 'with an exchanged token of a session that has ended, or with a token of a client that has left the session',
    async ask(server) {
      const [one, two] = [await login(server, 'alice'), await login(server, 'alice')];
      const ofOne = textOf(await exchange(server, 'service-a', textOf(one), { scope: 'openid orders.approve' }));
      await logout(server, textOf(one, 'refresh_token'));
      await revoke(server, undefined, textOf(two, 'refresh_token'), { client_id: 'demo-cli' });
      return [refusal(await userinfo(server, ofOne)), refusal(await userinfo(server, textOf(two)))];
    },
    answer: [NO_SESSION, NO_SESSION],
  },
  {
    title: 'of a disabled user, client or service account',
    async ask(server) {
      const [username, client, service] = [
        await server.newUser('order-viewer'),
        await server.newClient('login'),
        await server.newClient('service'),
      ];
      const ofUser = textOf(await login(server, username));
      const ofClient = textOf(await login(server, 'alice', 'openid', client));
      const ofService = textOf(await clientCredentials(server, callerOf(service), 'openid'));
      await server.disableUser(username);
      await server.disableClient(client);
      await server.disableUser(`service-account-${service}`);
      return [
        refusal(await userinfo(server, ofUser)),
        refusal(await userinfo(server, ofClient)),
        refusal(await userinfo(server, ofService)),
      ];
    },
    answer: [
      [401, challenge('invalid_token', 'User disabled'), ''],
      [401, challenge('invalid_token', 'Client disabled'), ''],
      [401, challenge('invalid_token', 'user_disabled'), ''],
    ],
  },
  {
    title: 'PUT is not allowed',
    ask: async (server) => answer(server, await userinfo(server, 'junk', { method: 'PUT' })),
    answer: { status: 405, error: 'HTTP 405 Method Not Allowed' },
  },
];

import { answer, isActive } from './observations.js';
import {
  BAD_CLIENT,
  BAD_SECRET,
  INACTIVE,
  INVALID_TOKEN,
  invalidRequest,
  refused,
  type ContractCase,
} from './expectations.js';
import {
  chainOf,
  clientCredentials,
  exchange,
  exchangeForC,
  introspect,
  login,
  logout,
  post,
  refresh,
  revoke,
  textOf,
  type Chain,
} from './requests.js';
import { callerOf, type ContractServer } from './server.js';
import { claimsOf } from './demo-realm.js';

const REVOKED = { status: 200 };
const UNKNOWN_TOKEN = { status: 200, error: 'invalid_token', error_description: 'Invalid token' };
const OTHER_CLIENT = invalidRequest('Unmatching clients');
const DEMO = { client_id: 'demo-cli' };

const states = async (server: ContractServer, { atA, atB, atC }: Chain): Promise<readonly unknown[]> => [
  isActive(await introspect(server, 'service-a', atA)),
  isActive(await introspect(server, 'service-b', atB)),
  isActive(await introspect(server, 'service-c', atC)),
];

const exchangeAgain = async (server: ContractServer, { atA }: Chain): Promise<unknown> =>
  answer(server, await exchange(server, 'service-a', atA, { scope: 'orders.approve', audience: 'service-b' }));

async function serviceChain(server: ContractServer, caller: 'service-a' | `${string}:${string}` = 'service-a') {
  const atB = textOf(await clientCredentials(server, caller, 'orders.approve'));
  return { atB, atC: await exchangeForC(server, atB) };
}

export const REVOCATION_CASES: readonly ContractCase[] = [
  {
    title: "of a service account's token: the exchanged token stays valid, but no further exchange is possible",
    async ask(server) {
      const { atB, atC } = await serviceChain(server);
      return [
        answer(server, await revoke(server, 'service-a', atB)),
        answer(server, await introspect(server, 'service-b', atB)),
        isActive(await introspect(server, 'service-c', atC)),
        answer(server, await exchange(server, 'service-b', atB, { scope: 'analytics.run' })),
      ];
    },
    answer: [REVOKED, INACTIVE, true, INVALID_TOKEN],
  },
  {
    title: "of a service account's token: another token of the same second stays valid",
    async ask(server) {
      const [first, twin] = [await serviceChain(server), await serviceChain(server)];
      await revoke(server, 'service-a', first.atB);
      return [
        isActive(await introspect(server, 'service-b', first.atB)),
        isActive(await introspect(server, 'service-b', twin.atB)),
      ];
    },
    answer: [false, true],
  },
  {
    title: "of a user's access token: exchanged tokens and the session stay valid",
    async ask(server) {
      const chain = await chainOf(server, 'alice');
      const revoked = answer(server, await revoke(server, undefined, chain.atA, DEMO));
      const refreshed = await refresh(server, textOf(chain.login, 'refresh_token'));
      return [revoked, await states(server, chain), await exchangeAgain(server, chain), refreshed.status];
    },
    answer: [REVOKED, [false, true, true], INVALID_TOKEN, 200],
  },
  {
    title: 'of an exchanged token: the earlier token and the later token of the chain stay valid',
    async ask(server) {
      const chain = await chainOf(server, 'alice');
      return [answer(server, await revoke(server, 'service-a', chain.atB)), await states(server, chain)];
    },
    answer: [REVOKED, [true, false, true]],
  },
  {
    title: 'of a refresh token: ends the session, and makes all tokens of the session invalid',
    async ask(server) {
      const chain = await chainOf(server, 'alice');
      const refreshToken = textOf(chain.login, 'refresh_token');
      const revoked = answer(server, await revoke(server, undefined, refreshToken, DEMO));
      const refreshed = answer(server, await refresh(server, refreshToken));
      return [revoked, await states(server, chain), await exchangeAgain(server, chain), refreshed];
    },
    answer: [REVOKED, [false, false, false], INVALID_TOKEN, refused(400, 'invalid_grant', 'Session not active')],
  },
  {
    title: 'a second time',
    async ask(server) {
      const { atB } = await serviceChain(server);
      await revoke(server, 'service-a', atB);
      return answer(server, await revoke(server, 'service-a', atB));
    },
    answer: REVOKED,
  },
  {
    title: 'with a wrong hint or an unknown hint',
    async ask(server) {
      const [one, two] = [await serviceChain(server), await serviceChain(server)];
      return [
        answer(server, await revoke(server, 'service-a', one.atB, { token_type_hint: 'refresh_token' })),
        answer(server, await revoke(server, 'service-a', two.atB, { token_type_hint: 'zzz' })),
        isActive(await introspect(server, 'service-b', one.atB)),
        isActive(await introspect(server, 'service-b', two.atB)),
      ];
    },
    answer: [REVOKED, REVOKED, false, false],
  },
  {
    title: 'by another client, even by a client in the audience: the token stays valid',
    async ask(server) {
      const { atB } = await serviceChain(server);
      return [
        answer(server, await revoke(server, 'service-b', atB)),
        answer(server, await revoke(server, 'service-c', atB)),
        isActive(await introspect(server, 'service-b', atB)),
      ];
    },
    answer: [OTHER_CLIENT, OTHER_CLIENT, true],
  },
  {
    title: 'of a token whose session has ended',
    async ask(server) {
      const first = await login(server, 'alice');
      await logout(server, textOf(first, 'refresh_token'));
      return [
        answer(server, await revoke(server, undefined, textOf(first), DEMO)),
        answer(server, await revoke(server, undefined, textOf(first, 'refresh_token'), DEMO)),
      ];
    },
    answer: [UNKNOWN_TOKEN, UNKNOWN_TOKEN],
  },
  ...['', 'junk'].map((text): ContractCase => ({
    title: `of "${text}"`,
    ask: async (server) => answer(server, await revoke(server, undefined, text, DEMO)),
    answer: UNKNOWN_TOKEN,
  })),
  {
    title: 'of an ID token',
    ask: async (server) =>
      answer(server, await revoke(server, undefined, textOf(await login(server, 'alice'), 'id_token'), DEMO)),
    answer: refused(400, 'unsupported_token_type', 'Unsupported token type'),
  },
  {
    title: 'without token',
    ask: async (server) => answer(server, await post(server, '/revoke', {}, 'service-a')),
    answer: invalidRequest('Token not provided'),
  },
  {
    title: 'with a duplicate token',
    ask: async (server) =>
      answer(
        server,
        await post(
          server,
          '/revoke',
          [
            ['token', 'a'],
            ['token', 'a'],
          ],
          'service-a',
        ),
      ),
    answer: invalidRequest('duplicated parameter'),
  },
  {
    title: 'with a wrong secret, by an unknown client, without client authentication',
    ask: async (server) => [
      answer(server, await revoke(server, 'service-a:wrong', 'junk')),
      answer(server, await revoke(server, 'nobody:wrong', 'junk')),
      answer(server, await revoke(server, undefined, 'junk')),
    ],
    answer: [BAD_SECRET, BAD_CLIENT, BAD_CLIENT],
  },
];

export const LOGOUT_CASES: readonly ContractCase[] = [
  {
    title: 'makes every token of the session invalid, including exchanged tokens',
    async ask(server) {
      const chain = await chainOf(server, 'alice');
      const left = await logout(server, textOf(chain.login, 'refresh_token'));
      return [left.status, await states(server, chain), await exchangeAgain(server, chain)];
    },
    answer: [204, [false, false, false], INVALID_TOKEN],
  },
  {
    title: 'ends no other session of the user',
    async ask(server) {
      const [one, two] = [await login(server, 'alice'), await login(server, 'alice')];
      await logout(server, textOf(one, 'refresh_token'));
      return isActive(await introspect(server, 'service-a', textOf(two)));
    },
    answer: true,
  },
  {
    title: 'a second time',
    async ask(server) {
      const refreshToken = textOf(await login(server, 'alice'), 'refresh_token');
      await logout(server, refreshToken);
      return (await logout(server, refreshToken)).status;
    },
    answer: 204,
  },
  {
    title: 'with junk',
    ask: async (server) => answer(server, await logout(server, 'junk')),
    answer: refused(400, 'invalid_grant', 'Invalid refresh token'),
  },
  {
    title: 'by another client: the session stays valid',
    async ask(server) {
      const first = await login(server, 'alice');
      const refresh_token = textOf(first, 'refresh_token');
      return [
        answer(server, await post(server, '/logout', { refresh_token }, 'service-a')),
        isActive(await introspect(server, 'service-a', textOf(first))),
      ];
    },
    answer: [
      refused(400, 'invalid_grant', "Invalid refresh token. Token client and authorized client don't match"),
      true,
    ],
  },
  {
    title: 'without client authentication',
    ask: async (server) => answer(server, await post(server, '/logout', { refresh_token: 'junk' })),
    answer: BAD_CLIENT,
  },
];

export const ADMINISTRATION_CASES: readonly ContractCase[] = [
  {
    title: 'ends a session, and makes the tokens of the session invalid',
    async ask(server) {
      const chain = await chainOf(server, await server.newUser('order-manager'));
      await server.endSession(String(claimsOf(chain.atA)['sid']));
      const refreshed = answer(server, await refresh(server, textOf(chain.login, 'refresh_token')));
      return [await states(server, chain), await exchangeAgain(server, chain), refreshed];
    },
    answer: [[false, false, false], INVALID_TOKEN, refused(400, 'invalid_grant', 'Session not active')],
  },
  {
    title: 'logs a user out of all sessions',
    async ask(server) {
      const username = await server.newUser('order-manager');
      const chains = [await chainOf(server, username), await chainOf(server, username)] as const;
      await server.logOutUser(username);
      return [await states(server, chains[0]), await states(server, chains[1])];
    },
    answer: [
      [false, false, false],
      [false, false, false],
    ],
  },
  {
    title: 'disables a user: the tokens of the user become invalid, and no new tokens are issued',
    async ask(server) {
      const username = await server.newUser('order-manager');
      const chain = await chainOf(server, username);
      await server.disableUser(username);
      return [
        await states(server, chain),
        await exchangeAgain(server, chain),
        answer(server, await login(server, username)),
        answer(server, await refresh(server, textOf(chain.login, 'refresh_token'))),
      ];
    },
    answer: [
      [false, false, false],
      INVALID_TOKEN,
      refused(400, 'invalid_grant', 'Account disabled'),
      refused(400, 'invalid_grant', 'User disabled'),
    ],
  },
  {
    title: 'disables a service account: the tokens of the service account and all exchanged tokens become invalid',
    async ask(server) {
      const client = await server.newClient('service');
      const caller = callerOf(client);
      const { atB, atC } = await serviceChain(server, caller);
      await server.disableUser(`service-account-${client}`);
      return [
        isActive(await introspect(server, 'service-b', atB)),
        isActive(await introspect(server, 'service-c', atC)),
        answer(server, await exchange(server, 'service-b', atB, { scope: 'analytics.run' })),
        answer(server, await clientCredentials(server, caller)),
      ];
    },
    answer: [
      false,
      false,
      INVALID_TOKEN,
      refused(401, 'invalid_request', "User 'service-account-client-<uuid>' disabled"),
    ],
  },
  {
    title: "disables a service: the service's tokens become invalid, and tokens of other clients stay valid",
    async ask(server) {
      const client = await server.newClient('service');
      const { atB, atC } = await serviceChain(server, callerOf(client));
      await server.disableClient(client);
      return [
        isActive(await introspect(server, 'service-b', atB)),
        isActive(await introspect(server, 'service-c', atC)),
        answer(server, await exchange(server, 'service-b', atB, { scope: 'analytics.run' })),
      ];
    },
    answer: [false, true, INVALID_TOKEN],
  },
  {
    title: "disables a login client: the client's tokens become invalid, and tokens of other clients stay valid",
    async ask(server) {
      const client = await server.newClient('login');
      const chain = await chainOf(server, 'alice', client);
      await server.disableClient(client);
      return [
        await states(server, chain),
        await exchangeAgain(server, chain),
        answer(server, await login(server, 'alice', 'openid', client)),
        answer(server, await revoke(server, undefined, chain.atA, { client_id: client })),
      ];
    },
    answer: [[false, true, true], INVALID_TOKEN, BAD_CLIENT, BAD_CLIENT],
  },
  {
    title: 'disables a service: it can neither obtain tokens nor introspect, with a correct secret or not',
    async ask(server) {
      const client = await server.newClient('service');
      await server.disableClient(client);
      const callers = [callerOf(client), `${client}:wrong`] as const;
      return Promise.all(
        callers.flatMap((caller) => [
          clientCredentials(server, caller).then((reply) => answer(server, reply)),
          introspect(server, caller, 'junk').then((reply) => answer(server, reply)),
        ]),
      );
    },
    answer: [BAD_CLIENT, BAD_CLIENT, BAD_CLIENT, BAD_CLIENT],
  },
  {
    title: 'disables a service: no token can have the service as the audience',
    async ask(server) {
      const client = await server.newClient('service');
      await server.disableClient(client);
      const subject = textOf(await clientCredentials(server, 'service-a', 'orders.approve'));
      return answer(server, await exchange(server, 'service-b', subject, { audience: client }));
    },
    answer: refused(400, 'invalid_client', 'Client disabled'),
  },
];

import { claimsOf } from './demo-realm.js';
import type { ContractCase } from './expectations.js';
import { BY_SECRET, eventsOf, loginByCode, OF_SESSION, OF_USER, USERNAME } from './expected-events.js';
import { codeOf, LoginBrowser } from './login-browser.js';
import {
  ACCESS_TOKEN,
  chainOf,
  clientCredentials,
  EXCHANGE,
  exchange,
  login,
  logout,
  refresh,
  revoke,
  textOf,
} from './requests.js';
import { readUserEvents, whileRecording } from './seen-events.js';
import { HOME } from './server.js';

const DEMO = { client_id: 'demo-cli' };

export const TOKEN_EVENT_CASES: readonly ContractCase[] = [
  eventsOf('client credentials', async (server) => () => clientCredentials(server, 'service-a', 'orders.approve'), [
    {
      ...OF_USER,
      type: 'CLIENT_LOGIN',
      clientId: 'service-a',
      details: {
        ...BY_SECRET,
        grant_type: 'client_credentials',
        token_id: 'trrtcc:<uuid>',
        scope: ['email', 'orders.approve', 'profile'],
        username: 'service-account-service-a',
      },
    },
  ]),
  eventsOf(
    "an exchange: the event has the session of the subject and the client of the subject's token",
    async (server) => {
      const subject = textOf(await login(server, await server.newUser('order-manager')));
      return () => exchange(server, 'service-a', subject, { scope: 'orders.approve', audience: 'service-b' });
    },
    [
      {
        ...OF_SESSION,
        type: 'TOKEN_EXCHANGE',
        clientId: 'service-a',
        details: {
          ...BY_SECRET,
          auth_method: 'token_exchange',
          audience: 'service-b',
          grant_type: EXCHANGE,
          token_id: 'ntrtte:<uuid>',
          scope: ['email', 'orders.approve', 'profile'],
          subject_token_client_id: 'demo-cli',
          requested_token_type: ACCESS_TOKEN,
          username: USERNAME,
        },
      },
    ],
  ),
  eventsOf(
    'a refresh',
    async (server) => {
      const first = await login(server, await server.newUser('order-manager'));
      return () => refresh(server, textOf(first, 'refresh_token'));
    },
    [
      {
        ...OF_SESSION,
        type: 'REFRESH_TOKEN',
        clientId: 'demo-cli',
        details: {
          ...BY_SECRET,
          grant_type: 'refresh_token',
          token_id: 'onrtrt:<uuid>',
          refresh_token_id: '<uuid>',
          refresh_token_sub: '<uuid>',
          refresh_token_type: 'Refresh',
          updated_refresh_token_id: '<uuid>',
          scope: ['email', 'openid', 'orders.read', 'profile'],
        },
      },
    ],
  ),
  eventsOf(
    'an authorization code that is exchanged for tokens',
    async (server) => {
      const { username, client, browser, redeem } = await loginByCode(server);
      const code = codeOf(await browser.login(client, username));
      return () => redeem(code);
    },
    [
      {
        ...OF_SESSION,
        type: 'CODE_TO_TOKEN',
        clientId: 'client-<uuid>',
        details: {
          ...BY_SECRET,
          grant_type: 'authorization_code',
          token_id: 'onrtac:<uuid>',
          refresh_token_id: '<uuid>',
          refresh_token_type: 'Refresh',
          scope: ['email', 'openid', 'orders.read', 'profile'],
        },
      },
    ],
  ),
  eventsOf(
    'a logout by refresh token: the event has the session, and a second logout causes no event',
    async (server) => {
      const refreshToken = textOf(await login(server, await server.newUser('order-manager')), 'refresh_token');
      return async () => {
        await logout(server, refreshToken);
        await logout(server, refreshToken);
      };
    },
    [{ ...OF_SESSION, type: 'LOGOUT', clientId: 'demo-cli', details: BY_SECRET }],
  ),
  eventsOf(
    'a logout in a browser, with an ID token and with a confirmation',
    async (server) => {
      const { username, client, browser, redeem } = await loginByCode(server);
      const tokens = await redeem(codeOf(await browser.login(client, username)));
      const query = { id_token_hint: textOf(tokens, 'id_token'), post_logout_redirect_uri: HOME, state: 'the-state' };
      const [other, third] = [new LoginBrowser(server), new LoginBrowser(server)];
      await other.login(client, username);
      await third.login(client, username);
      return async () => {
        await browser.get(`/protocol/openid-connect/logout?${new URLSearchParams(query)}`);
        await other.submit(await other.get('/protocol/openid-connect/logout'), { confirmLogout: 'yes' });
        const named = new URLSearchParams({ client_id: client, post_logout_redirect_uri: HOME, state: 'the-state' });
        await third.submit(await third.get(`/protocol/openid-connect/logout?${named}`), { confirmLogout: 'yes' });
      };
    },
    [
      { ...OF_SESSION, type: 'LOGOUT', clientId: 'client-<uuid>', details: { redirect_uri: HOME } },
      { ...OF_SESSION, type: 'LOGOUT', clientId: 'account' },
      { ...OF_SESSION, type: 'LOGOUT', clientId: 'client-<uuid>', details: { redirect_uri: HOME } },
    ],
  ),
  eventsOf(
    'a revoked access token: each revocation causes an event with the token id and no session',
    async (server) => {
      const { atA, atB } = await chainOf(server, await server.newUser('order-manager'));
      return async () => {
        await revoke(server, undefined, atA, DEMO);
        await revoke(server, undefined, atA, DEMO);
        await revoke(server, 'service-a', atB);
      };
    },
    [
      { ...OF_USER, type: 'REVOKE_GRANT', clientId: 'demo-cli', details: { ...BY_SECRET, token_id: 'onrtro:<uuid>' } },
      { ...OF_USER, type: 'REVOKE_GRANT', clientId: 'demo-cli', details: { ...BY_SECRET, token_id: 'onrtro:<uuid>' } },
      { ...OF_USER, type: 'REVOKE_GRANT', clientId: 'service-a', details: { ...BY_SECRET, token_id: 'ntrtte:<uuid>' } },
    ],
  ),
  eventsOf(
    'a revoked refresh token: the event has the session',
    async (server) => {
      const refreshToken = textOf(await login(server, await server.newUser('order-manager')), 'refresh_token');
      return () => revoke(server, undefined, refreshToken, DEMO);
    },
    [
      {
        ...OF_SESSION,
        type: 'REVOKE_GRANT',
        clientId: 'demo-cli',
        details: {
          ...BY_SECRET,
          refresh_token_id: '<uuid>',
          refresh_token_type: 'Refresh',
          revoked_client: 'demo-cli',
        },
      },
    ],
  ),
  {
    title: 'contain the ids of the user, the session and the token, as in the token',
    async ask(server) {
      const own = await server.ownRealm();
      const username = await own.newUser('order-manager');
      return whileRecording(own, async () => {
        const first = await login(own, username);
        const { sub, sid, jti } = claimsOf(textOf(first));
        await revoke(own, undefined, textOf(first), DEMO);
        await logout(own, textOf(first, 'refresh_token'));
        return (await readUserEvents(own)).map(({ type, userId, sessionId, details }) => [
          type,
          userId === sub,
          sessionId === sid,
          (details as { token_id?: string }).token_id === jti,
        ]);
      });
    },
    answer: [
      ['LOGIN', true, true, true],
      ['REVOKE_GRANT', true, false, true],
      ['LOGOUT', true, true, false],
    ],
  },
  {
    title: 'are recorded only if the type is enabled, and are not recorded while events are off',
    async ask(server) {
      const own = await server.ownRealm();
      const typesAfter = (config: object): Promise<unknown[]> =>
        whileRecording(own, async () => {
          await own.administrator.change('PUT', '/events/config', config);
          await refresh(own, textOf(await login(own, 'alice'), 'refresh_token'));
          return (await readUserEvents(own)).map(({ type }) => type);
        });
      return [
        await typesAfter({ eventsEnabled: true, enabledEventTypes: [] }),
        await typesAfter({ eventsEnabled: true, enabledEventTypes: ['REFRESH_TOKEN'] }),
        await typesAfter({ eventsEnabled: false }),
      ];
    },
    answer: [['LOGIN'], ['REFRESH_TOKEN'], []],
  },
];

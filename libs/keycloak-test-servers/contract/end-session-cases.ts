import { expect } from '@jest/globals';
import { LoginBrowser, type Parameters } from './login-browser.js';
import { moreTokensFor, refreshAt, tokensFor } from './code-cases.js';
import { ERROR_PAGE, PLAIN_PAGE, refused, type ContractCase } from './expectations.js';
import { callback, isActive, decoded, page } from './observations.js';
import { introspect, post, request, textOf, type Reply } from './requests.js';
import { callerOf, HOME, type ContractServer } from './server.js';
import { startLogoutListener, type LogoutListener } from './logout-listener.js';

const LOGOUT = '/protocol/openid-connect/logout';
const LOGGED_OUT = 'You are logged out';
const CONFIRM = 'Do you want to log out?';
const HOME_AGAIN = { status: 302, to: HOME, separator: '' };
const WITH_STATE = { status: 302, to: HOME, separator: '?', state: 'a/b' };

async function loggedIn(server: ContractServer, attributes?: Readonly<Record<string, string>>) {
  const client = await server.newClient('web', attributes);
  const browser = new LoginBrowser(server);
  const tokens = await tokensFor(server, client, browser);
  return { client, browser, tokens, id_token_hint: textOf(tokens, 'id_token') };
}

const withQuery = (parameters: Parameters): string =>
  `${LOGOUT}?${new URLSearchParams(parameters as Record<string, string>).toString()}`;

const isStillActive = async (server: ContractServer, tokens: Reply): Promise<unknown> =>
  isActive(await introspect(server, 'service-a', textOf(tokens)));

const state = async (server: ContractServer, client: string, browser: LoginBrowser, tokens: Reply) => [
  await isStillActive(server, tokens),
  callback(server, await browser.authorize(client, { prompt: 'none' }))['error'],
];
const GONE = [false, 'login_required'];
const STAYS = [true, undefined];

const SHOWN: readonly {
  readonly title: string;
  readonly parameters: (given: {
    readonly client: string;
    readonly hint: string;
    readonly tokens: Reply;
  }) => Parameters;
  readonly words: string;
}[] = [
  {
    title: 'an address that the client may not use',
    parameters: ({ hint }) => ({ id_token_hint: hint, post_logout_redirect_uri: 'http://evil.example/' }),
    words: 'Invalid redirect uri',
  },
  {
    title: 'an address that the client may not use, with client_id',
    parameters: ({ client }) => ({ client_id: client, post_logout_redirect_uri: `${HOME}x` }),
    words: 'Invalid redirect uri',
  },
  {
    title: 'an unknown client',
    parameters: () => ({ client_id: 'nobody', post_logout_redirect_uri: HOME }),
    words: 'Invalid redirect uri',
  },
  {
    title: 'an address, but no hint and no client_id',
    parameters: () => ({ post_logout_redirect_uri: HOME }),
    words: 'Missing parameters: id_token_hint',
  },
  {
    title: 'an invalid hint',
    parameters: () => ({ id_token_hint: 'junk', post_logout_redirect_uri: HOME }),
    words: 'Invalid parameter: id_token_hint',
  },
  {
    title: 'an access token as hint',
    parameters: ({ tokens }) => ({ id_token_hint: textOf(tokens), post_logout_redirect_uri: HOME }),
    words: 'Invalid parameter: id_token_hint',
  },
  {
    title: 'the hint of one client and the client_id of another',
    parameters: ({ hint }) => ({ id_token_hint: hint, client_id: 'service-a', post_logout_redirect_uri: HOME }),
    words: 'Invalid parameter: id_token_hint',
  },
];

export const END_SESSION_CASES: readonly ContractCase[] = [
  {
    title: 'by GET with hint, address and state',
    async ask(server) {
      const { client, browser, tokens, id_token_hint } = await loggedIn(server);
      const asked = { id_token_hint, client_id: client, post_logout_redirect_uri: HOME, state: 'a/b' };
      const reply = await browser.get(withQuery(asked));
      return [
        callback(server, reply),
        await state(server, client, browser, tokens),
        (await refreshAt(server, client, tokens)).members,
        callback(server, await browser.get(withQuery(asked))),
      ];
    },
    answer: [
      WITH_STATE,
      GONE,
      {
        error: 'invalid_grant',
        error_description: refused(400, 'invalid_grant', 'Session not active').error_description,
      },
      WITH_STATE,
    ],
  },
  {
    title: 'by POST, without cookie and state',
    async ask(server) {
      const { client, browser, tokens, id_token_hint } = await loggedIn(server);
      const reply = await new LoginBrowser(server).post(LOGOUT, { id_token_hint, post_logout_redirect_uri: HOME });
      return [callback(server, reply), await state(server, client, browser, tokens)];
    },
    answer: [HOME_AGAIN, GONE],
  },
  {
    title: 'to an address with a query',
    async ask(server) {
      const { browser, id_token_hint } = await loggedIn(server);
      const asked = { id_token_hint, post_logout_redirect_uri: `${HOME}bye?a=b`, state: 'c' };
      return (await browser.get(withQuery(asked))).headers.get('location');
    },
    answer: `${HOME}bye?a=b&state=c`,
  },
  {
    title: 'without an address: shows a page',
    async ask(server) {
      const { client, browser, tokens, id_token_hint } = await loggedIn(server);
      const reply = await browser.get(withQuery({ id_token_hint }));
      return [page(reply, LOGGED_OUT), await state(server, client, browser, tokens)];
    },
    answer: [PLAIN_PAGE, GONE],
  },
  ...SHOWN.map(({ title, parameters, words }): ContractCase => ({
    title: `is refused on a page with ${title}, and the session stays valid`,
    async ask(server) {
      const { client, browser, tokens, id_token_hint: hint } = await loggedIn(server);
      const reply = await browser.get(withQuery(parameters({ client, hint, tokens })));
      return [page(reply, words), await state(server, client, browser, tokens)];
    },
    answer: [ERROR_PAGE, STAYS],
  })),
  {
    title: "with the hint of a session that is not the browser's: asks for confirmation",
    async ask(server) {
      const [one, two] = [await loggedIn(server), await loggedIn(server)];
      const asked = { id_token_hint: one.id_token_hint, post_logout_redirect_uri: HOME };
      return [
        page(await two.browser.get(withQuery(asked)), CONFIRM),
        await state(server, one.client, one.browser, one.tokens),
        await state(server, two.client, two.browser, two.tokens),
      ];
    },
    answer: [PLAIN_PAGE, STAYS, STAYS],
  },
  {
    title: 'without hint: asks for confirmation, and then redirects back',
    async ask(server) {
      const { client, browser, tokens } = await loggedIn(server);
      const asked = { client_id: client, post_logout_redirect_uri: HOME, state: 'a/b' };
      const question = await browser.get(withQuery(asked));
      const before = await isStillActive(server, tokens);
      const reply = await browser.submit(question, { confirmLogout: 'Logout' });
      return [page(question, CONFIRM), before, callback(server, reply), await state(server, client, browser, tokens)];
    },
    answer: [PLAIN_PAGE, true, WITH_STATE, GONE],
  },
  {
    title: 'without parameters: asks for confirmation, even if the browser has no session',
    async ask(server) {
      const { client, browser, tokens } = await loggedIn(server);
      const question = await browser.get(LOGOUT);
      const reply = await browser.submit(question, { confirmLogout: 'Logout' });
      return [
        page(await new LoginBrowser(server).get(LOGOUT), CONFIRM),
        page(question, CONFIRM),
        page(reply, LOGGED_OUT),
        await state(server, client, browser, tokens),
      ];
    },
    answer: [PLAIN_PAGE, PLAIN_PAGE, PLAIN_PAGE, GONE],
  },
  {
    title: 'with client_id but without a session',
    async ask(server) {
      const client = await server.newClient('web');
      const asked = { client_id: client, post_logout_redirect_uri: HOME, state: 'a/b' };
      const browser = new LoginBrowser(server);
      return [
        callback(server, await browser.get(withQuery(asked))),
        page(await browser.get(withQuery({ client_id: client })), CONFIRM),
      ];
    },
    answer: [WITH_STATE, PLAIN_PAGE],
  },
  {
    title: 'by refresh token: other parameters are ignored',
    async ask(server) {
      const { client, browser, tokens, id_token_hint } = await loggedIn(server);
      const refresh_token = textOf(tokens, 'refresh_token');
      const form = { refresh_token, id_token_hint, post_logout_redirect_uri: HOME };
      const reply = await post(server, '/logout', form, callerOf(client));
      return [reply.status, await state(server, client, browser, tokens)];
    },
    answer: [204, GONE],
  },
  {
    title: 'PUT is not allowed',
    ask: async (server) => (await request(server, LOGOUT, { method: 'PUT' })).status,
    answer: 405,
  },
];

async function withListener<T>(ask: (listener: LogoutListener) => Promise<T>, status?: number): Promise<T> {
  const listener = await startLogoutListener(status);
  try {
    return await ask(listener);
  } finally {
    await listener.stop();
  }
}

const attributesOf = ({ url }: LogoutListener, path: string) => ({
  'backchannel.logout.url': `${url}/${path}`,
  'backchannel.logout.session.required': 'true',
});

const notificationsAt = (server: ContractServer, listener: LogoutListener) =>
  listener
    .take()
    .map(({ path, contentType, form }) => ({
      path,
      contentType,
      names: [...form.keys()],
      token: decoded(server, form.get('logout_token') ?? ''),
    }))
    .toSorted((one, other) => one.path.localeCompare(other.path));

const notification = (path: string, more: object = { sid: '<sid>' }) => ({
  path,
  contentType: expect.stringMatching(/^application\/x-www-form-urlencoded/) as unknown,
  names: ['logout_token'],
  token: {
    header: { alg: 'RS256', typ: 'logout+jwt', kid: '<string>' },
    claims: {
      lifetime: 120,
      jti: '<uuid>',
      iss: '<issuer>',
      aud: 'client-<uuid>',
      sub: '<uuid>',
      typ: 'Logout',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      ...more,
    },
  },
});

export const BACKCHANNEL_LOGOUT_CASES: readonly ContractCase[] = [
  {
    title: 'notifies every client that belongs to the session and has a logout URL',
    ask: (server) =>
      withListener(async (listener) => {
        const { browser, id_token_hint } = await loggedIn(server, attributesOf(listener, 'one'));
        await moreTokensFor(server, await server.newClient('web', attributesOf(listener, 'two')), browser);
        await moreTokensFor(server, await server.newClient('web'), browser);
        await browser.get(withQuery({ id_token_hint }));
        return notificationsAt(server, listener);
      }),
    answer: [notification('/one'), notification('/two')],
  },
  {
    title: 'has no sid for a client that does not require the sid',
    ask: (server) =>
      withListener(async (listener) => {
        const attributes = { 'backchannel.logout.url': `${listener.url}/one` };
        const { browser, id_token_hint } = await loggedIn(server, attributes);
        await browser.get(withQuery({ id_token_hint }));
        return notificationsAt(server, listener);
      }),
    answer: [notification('/one', {})],
  },
  {
    title: 'is sent after a logout by refresh token, and after a logout by POST without a cookie',
    ask: (server) =>
      withListener(async (listener) => {
        const one = await loggedIn(server, attributesOf(listener, 'one'));
        const refresh_token = textOf(one.tokens, 'refresh_token');
        await post(server, '/logout', { refresh_token }, callerOf(one.client));
        const two = await loggedIn(server, attributesOf(listener, 'two'));
        await new LoginBrowser(server).post(LOGOUT, { id_token_hint: two.id_token_hint });
        return notificationsAt(server, listener);
      }),
    answer: [notification('/one'), notification('/two')],
  },
  {
    title: 'is not sent if the refresh token was revoked before the logout',
    ask: (server) =>
      withListener(async (listener) => {
        const { client, browser, tokens, id_token_hint } = await loggedIn(server, attributesOf(listener, 'one'));
        await post(server, '/revoke', { token: textOf(tokens, 'refresh_token') }, callerOf(client));
        await browser.get(withQuery({ id_token_hint }));
        return notificationsAt(server, listener);
      }),
    answer: [],
  },
  {
    title: 'does not prevent the logout if the client fails',
    ask: (server) =>
      withListener(async (listener) => {
        const { client, browser, tokens, id_token_hint } = await loggedIn(server, attributesOf(listener, 'one'));
        const reply = await browser.get(withQuery({ id_token_hint, post_logout_redirect_uri: HOME }));
        return [callback(server, reply), listener.take().length, await state(server, client, browser, tokens)];
      }, 500),
    answer: [HOME_AGAIN, 1, GONE],
  },
  {
    title: 'is sent if an administrator logs the user out, and is not sent if an administrator disables the user',
    ask: (server) =>
      withListener(async (listener) => {
        const username = await server.newUser('order-viewer');
        const client = await server.newClient('web', attributesOf(listener, 'one'));
        await tokensFor(server, client, new LoginBrowser(server), username);
        await server.logOutUser(username);
        const notified = notificationsAt(server, listener);
        await tokensFor(server, client, new LoginBrowser(server), username);
        await server.disableUser(username);
        return [notified, listener.take().length];
      }),
    answer: [[notification('/one')], 0],
  },
];

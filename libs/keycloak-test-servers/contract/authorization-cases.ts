import { authorizationRequest, LoginBrowser, callbackParameters, type Parameters } from './login-browser.js';
import { ERROR_PAGE, LOGIN_PAGE, type ContractCase } from './expectations.js';
import { answer, callback, page } from './observations.js';
import { request } from './requests.js';
import { CALLBACK } from './server.js';

const AUTH = '/protocol/openid-connect/auth';
const SIGN_IN = 'Sign in to your account';
const BAD_PASSWORD = 'Invalid username or password.';
const BACK = { status: 302, to: CALLBACK, separator: '?', state: 'the-state', iss: '<issuer>' };
const WITH_CODE = { ...BACK, session_state: '<sid>', code: '<code>' };

const refused = (error: string, error_description?: string) => ({
  ...BACK,
  error,
  ...(error_description === undefined ? {} : { error_description }),
});
const invalid = (description: string) => refused('invalid_request', description);

interface Bent {
  readonly title: string;
  readonly changes: Parameters;
  readonly answer: unknown;
}

const OTHER_METHOD = invalid('Invalid parameter: code challenge method is not matching the configured one');
const SENT_BACK: readonly Bent[] = [
  {
    title: 'no response_type',
    changes: { response_type: undefined },
    answer: invalid('Missing parameter: response_type'),
  },
  {
    title: 'an unknown response_type',
    changes: { response_type: 'zzz' },
    answer: refused('unsupported_response_type'),
  },
  {
    title: 'an unknown response_mode',
    changes: { response_mode: 'zzz' },
    answer: invalid('Invalid parameter: response_mode'),
  },
  {
    title: 'no challenge and no challenge method',
    changes: { code_challenge: undefined, code_challenge_method: undefined },
    answer: invalid('Missing parameter: code_challenge_method'),
  },
  {
    title: 'no challenge',
    changes: { code_challenge: undefined },
    answer: invalid('Missing parameter: code_challenge'),
  },
  {
    title: 'no challenge method',
    changes: { code_challenge_method: undefined },
    answer: invalid('Missing parameter: code_challenge_method'),
  },
  { title: 'the challenge method "plain"', changes: { code_challenge_method: 'plain' }, answer: OTHER_METHOD },
  { title: 'an unknown challenge method', changes: { code_challenge_method: 'zzz' }, answer: OTHER_METHOD },
  {
    title: 'a short challenge',
    changes: { code_challenge: 'abc' },
    answer: invalid('Invalid parameter: code_challenge'),
  },
  {
    title: 'a challenge with invalid characters',
    changes: { code_challenge: '!'.repeat(43) },
    answer: invalid('Invalid parameter: code_challenge'),
  },
  {
    title: 'a scope that the client may not have',
    changes: { scope: 'openid analytics.run' },
    answer: refused('invalid_scope', 'Invalid scopes: openid analytics.run'),
  },
  { title: 'prompt=none without a session', changes: { prompt: 'none' }, answer: refused('login_required') },
  { title: 'prompt=none login', changes: { prompt: 'none login' }, answer: refused('login_required') },
  {
    title: 'prompt=none in a fragment',
    changes: { prompt: 'none', response_mode: 'fragment' },
    answer: { ...refused('login_required'), separator: '#' },
  },
];

const NO_REDIRECT = 'Invalid parameter: redirect_uri';
const SHOWN: readonly { readonly title: string; readonly changes: Parameters; readonly words: string }[] = [
  { title: 'no client', changes: { client_id: undefined }, words: 'Invalid Request' },
  { title: 'an unknown client', changes: { client_id: 'nobody' }, words: 'Client not found.' },
  { title: 'a client without redirect URIs', changes: { client_id: 'service-b' }, words: NO_REDIRECT },
  { title: 'another path', changes: { redirect_uri: `${CALLBACK}/x` }, words: NO_REDIRECT },
  { title: 'a query', changes: { redirect_uri: `${CALLBACK}?a=b` }, words: NO_REDIRECT },
  { title: 'another host', changes: { redirect_uri: 'http://evil.example/auth/callback' }, words: NO_REDIRECT },
  { title: 'no redirect URI', changes: { redirect_uri: undefined }, words: NO_REDIRECT },
  { title: 'an empty redirect URI', changes: { redirect_uri: '' }, words: NO_REDIRECT },
  { title: 'an invalid request object', changes: { request: 'x' }, words: 'Invalid Request' },
  { title: 'a max_age that is not a number', changes: { max_age: 'x' }, words: 'Invalid Request' },
];

export const AUTHORIZATION_CASES: readonly ContractCase[] = [
  ...SENT_BACK.map(({ title, changes, answer: expected }): ContractCase => ({
    title: `is redirected back with ${title}`,
    ask: async (server) =>
      callback(server, await new LoginBrowser(server).authorize(await server.newClient('web'), changes)),
    answer: expected,
  })),
  ...SHOWN.map(({ title, changes, words }): ContractCase => ({
    title: `is refused on a page with ${title}`,
    ask: async (server) =>
      page(await new LoginBrowser(server).authorize(await server.newClient('web'), changes), words),
    answer: ERROR_PAGE,
  })),
  {
    title: 'is redirected back without a state if the request had no state',
    async ask(server) {
      const changes = { prompt: 'none', state: undefined };
      return callbackParameters(await new LoginBrowser(server).authorize(await server.newClient('web'), changes))[
        'state'
      ];
    },
    answer: undefined,
  },
  {
    title: 'with a duplicate client_id, or with another duplicate parameter',
    async ask(server) {
      const client = await server.newClient('web');
      const query = authorizationRequest(client).toString();
      return [
        page(await request(server, `${AUTH}?${query}&client_id=${client}`), 'Invalid Request'),
        callback(server, await request(server, `${AUTH}?${query}&state=other`)),
      ];
    },
    answer: [ERROR_PAGE, invalid('duplicated parameter')],
  },
  {
    title: 'of a disabled client, or of a client whose code flow is disabled',
    async ask(server) {
      const [disabled, off] = [await server.newClient('web'), await server.newClient('web without login')];
      await server.disableClient(disabled);
      const browser = new LoginBrowser(server);
      return [
        page(await browser.authorize(disabled), 'Client disabled.'),
        callback(server, await browser.authorize(off)),
      ];
    },
    answer: [
      ERROR_PAGE,
      refused(
        'unauthorized_client',
        'Client is not allowed to initiate browser login with given response_type. Standard flow is disabled for the client.',
      ),
    ],
  },
  {
    title: 'of a client that does not require PKCE',
    async ask(server) {
      const client = await server.newClient('web', { 'pkce.code.challenge.method': '' });
      const browser = new LoginBrowser(server);
      const none = { code_challenge: undefined, code_challenge_method: undefined };
      return [
        page(await browser.authorize(client, none), SIGN_IN),
        page(await browser.authorize(client, { code_challenge_method: undefined }), SIGN_IN),
        callback(server, await browser.authorize(client, { code_challenge_method: 'zzz' })),
        callback(server, await browser.authorize(client, { code_challenge: undefined })),
      ];
    },
    answer: [
      LOGIN_PAGE,
      LOGIN_PAGE,
      invalid('Invalid parameter: code_challenge_method'),
      invalid('Missing parameter: code_challenge'),
    ],
  },
  ...['PUT', 'DELETE'].map((method): ContractCase => ({
    title: `${method} is not allowed`,
    ask: async (server) => answer(server, await request(server, AUTH, { method })),
    answer: { status: 405, error: 'HTTP 405 Method Not Allowed' },
  })),
];

export const LOGIN_CASES: readonly ContractCase[] = [
  {
    title: 'by GET and by POST: shows the form, then redirects back with a code',
    async ask(server) {
      const client = await server.newClient('web');
      const [one, two] = [new LoginBrowser(server), new LoginBrowser(server)];
      const posted = await two.post(AUTH, Object.fromEntries(authorizationRequest(client)));
      return [
        callback(server, await one.login(client, 'alice')),
        page(posted, SIGN_IN),
        callback(server, await two.fill(posted, 'alice')),
      ];
    },
    answer: [WITH_CODE, LOGIN_PAGE, WITH_CODE],
  },
  {
    title: 'in a fragment, by e-mail address',
    async ask(server) {
      const changes = { response_mode: 'fragment' };
      const browser = new LoginBrowser(server);
      const form = await browser.authorize(await server.newClient('web'), changes);
      return callback(server, await browser.fill(form, 'alice@example.com', 'alice'));
    },
    answer: { ...WITH_CODE, separator: '#' },
  },
  {
    title: 'with a wrong password, an unknown name or an empty form: shows the form again, with the same error',
    async ask(server) {
      const browser = new LoginBrowser(server);
      const wrong = await browser.fill(await browser.authorize(await server.newClient('web')), 'alice', 'wrong');
      const unknown = await browser.fill(wrong, 'nobody');
      const empty = await browser.submit(unknown, {});
      const good = await browser.fill(empty, 'alice');
      return [...[wrong, unknown, empty].map((reply) => page(reply, BAD_PASSWORD)), callback(server, good)];
    },
    answer: [LOGIN_PAGE, LOGIN_PAGE, LOGIN_PAGE, WITH_CODE],
  },
  {
    title: 'of a disabled user: says that the user is disabled only after the correct password',
    async ask(server) {
      const [username, client] = [await server.newUser('order-viewer'), await server.newClient('web')];
      await server.disableUser(username);
      const browser = new LoginBrowser(server);
      const wrong = await browser.fill(await browser.authorize(client), username, 'wrong');
      return [
        page(wrong, BAD_PASSWORD),
        page(await browser.fill(wrong, username), 'Account is disabled, contact your administrator.'),
      ];
    },
    answer: [LOGIN_PAGE, LOGIN_PAGE],
  },
  {
    title: 'lets later requests of any client reuse the session, and shows no form',
    async ask(server) {
      const [one, two] = [await server.newClient('web'), await server.newClient('web')];
      const browser = new LoginBrowser(server);
      const replies = [
        await browser.login(one, 'alice'),
        await browser.authorize(one),
        await browser.authorize(two, { prompt: 'none' }),
        await browser.authorize(two, { max_age: '600' }),
      ];
      const sessions = new Set(replies.map((reply) => callbackParameters(reply)['session_state']));
      return [replies.map((reply) => callback(server, reply)), sessions.size];
    },
    answer: [[WITH_CODE, WITH_CODE, WITH_CODE, WITH_CODE], 1],
  },
  {
    title: 'with login_hint: the form shows the user name of the hint, and accepts another user name',
    async ask(server) {
      const client = await server.newClient('web');
      const browser = new LoginBrowser(server);
      const form = await browser.authorize(client, { login_hint: 'bob' });
      const name = /<input[^>]*id="username"[^>]*>/.exec(form.text)?.[0] ?? '';
      return [/ value="([^"]*)"/.exec(name)?.[1], callback(server, await browser.fill(form, 'alice'))];
    },
    answer: ['bob', WITH_CODE],
  },
  {
    title: 'again with prompt=login: asks only for the password, of the same user, and keeps the session',
    async ask(server) {
      const client = await server.newClient('web');
      const browser = new LoginBrowser(server);
      const first = await browser.login(client, 'alice');
      const form = await browser.authorize(client, { prompt: 'login' });
      const other = await browser.fill(form, 'bob');
      const again = await browser.submit(other, { password: 'alice' });
      const sessions = [first, again].map((reply) => callbackParameters(reply)['session_state']);
      return [page(form, SIGN_IN), page(other, BAD_PASSWORD), callback(server, again), new Set(sessions).size];
    },
    answer: [LOGIN_PAGE, LOGIN_PAGE, WITH_CODE, 1],
  },
  {
    title: 'in two tabs at the same time',
    async ask(server) {
      const client = await server.newClient('web');
      const browser = new LoginBrowser(server);
      const [one, two] = [await browser.authorize(client), await browser.authorize(client, { state: 'two' })];
      const replies = [await browser.fill(one, 'alice'), await browser.fill(two, 'alice')];
      const sessions = new Set(replies.map((reply) => callbackParameters(reply)['session_state']));
      return [replies.map((reply) => callback(server, reply)), sessions.size];
    },
    answer: [[WITH_CODE, { ...WITH_CODE, state: 'two' }], 1],
  },
  {
    title: 'with a form that was already used, or that belongs to another browser',
    async ask(server) {
      const browser = new LoginBrowser(server);
      const form = await browser.authorize(await server.newClient('web'));
      await browser.fill(form, 'alice');
      return [
        callback(server, await browser.fill(form, 'alice')),
        page(await new LoginBrowser(server).fill(form, 'alice'), 'Restart login cookie not found.'),
      ];
    },
    answer: [refused('temporarily_unavailable', 'authentication_expired'), ERROR_PAGE],
  },
  {
    title: 'after the user was disabled: the session is ignored',
    async ask(server) {
      const [username, client] = [await server.newUser('order-viewer'), await server.newClient('web')];
      const browser = new LoginBrowser(server);
      await browser.login(client, username);
      await server.disableUser(username);
      return [
        page(await browser.authorize(client), SIGN_IN),
        callback(server, await browser.authorize(client, { prompt: 'none' })),
      ];
    },
    answer: [LOGIN_PAGE, refused('login_required')],
  },
];

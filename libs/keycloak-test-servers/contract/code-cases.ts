import { LoginBrowser, codeOf, VERIFIER } from './login-browser.js';
import {
  accessTokenClaims,
  active,
  ALICE,
  BAD_SECRET,
  BOB,
  idTokenClaims,
  INVALID_TOKEN,
  invalidRequest,
  loggedIn,
  refused,
  type ContractCase,
  type ExpectedToken,
} from './expectations.js';
import { answer, isActive, decoded, tokenAnswer } from './observations.js';
import { exchange, exchangeForB, introspect, post, revoke, textOf, token, type Reply } from './requests.js';
import { CALLBACK, callerOf, type ContractServer } from './server.js';

const GOOD = { grant_type: 'authorization_code', redirect_uri: CALLBACK, code_verifier: VERIFIER } as const;
const FOR_B = { scope: 'orders.approve', audience: 'service-b' } as const;
const NOT_VALID = refused(400, 'invalid_grant', 'Code not valid');
const NO_CLIENT = refused(400, 'invalid_grant', "Session doesn't have required client");

export const redeem = (server: ContractServer, client: string, code: string, more: object = {}): Promise<Reply> =>
  token(server, { ...GOOD, code, ...more }, callerOf(client));

export const refreshAt = (server: ContractServer, client: string, of: Reply, more: object = {}): Promise<Reply> =>
  token(server, { grant_type: 'refresh_token', refresh_token: textOf(of, 'refresh_token'), ...more }, callerOf(client));

export async function tokensFor(
  server: ContractServer,
  client: string,
  browser = new LoginBrowser(server),
  username = 'alice',
): Promise<Reply> {
  return redeem(server, client, codeOf(await browser.login(client, username)));
}

export const moreTokensFor = async (server: ContractServer, client: string, browser: LoginBrowser): Promise<Reply> =>
  redeem(server, client, codeOf(await browser.authorize(client, { prompt: 'none' })));

async function newCode(server: ContractServer, scope?: string) {
  const client = await server.newClient('web');
  const reply = await new LoginBrowser(server).login(client, 'alice', scope === undefined ? {} : { scope });
  return { client, code: codeOf(reply) };
}

const isActiveAtA = async (server: ContractServer, reply: Reply): Promise<unknown> =>
  isActive(await introspect(server, 'service-a', textOf(reply)));

const IN_BROWSER = { auth_time: '<time>' } as const;
const TO_WEB = {
  of: ALICE,
  to: 'client-<uuid>',
  aud: 'service-a',
  roles: ['order-manager'],
  more: IN_BROWSER,
} as const;
const READ = ['openid', 'orders.read'];

function browserLogin(expected: ExpectedToken, idMore: object = {}) {
  const { idToken, ...rest } = loggedIn(expected) as { idToken?: { header: object } };
  if (idToken === undefined) return rest;
  const claims = { ...idTokenClaims(expected), at_hash: '<22 characters>', ...IN_BROWSER, ...idMore };
  return { ...rest, idToken: { ...idToken, claims } };
}

const BAD_REDEMPTIONS: readonly { readonly title: string; readonly form: object; readonly answer: unknown }[] = [
  {
    title: 'another verifier',
    form: { code_verifier: 'x'.repeat(43) },
    answer: refused(400, 'invalid_grant', 'PKCE verification failed: Code mismatch'),
  },
  {
    title: 'an invalid verifier',
    form: { code_verifier: '!' },
    answer: refused(400, 'invalid_grant', 'PKCE verification failed: Invalid code verifier'),
  },
  {
    title: 'another redirect_uri',
    form: { redirect_uri: `${CALLBACK}/x` },
    answer: refused(400, 'invalid_grant', 'Incorrect redirect_uri'),
  },
];

export const CODE_CASES: readonly ContractCase[] = [
  {
    title: 'yields an access token, a refresh token, and an ID token with nonce and auth_time',
    async ask(server) {
      const { client, code } = await newCode(server);
      return tokenAnswer(server, await redeem(server, client, code));
    },
    answer: browserLogin({ ...TO_WEB, kind: 'onrtac', scope: READ }, { nonce: 'the-nonce' }),
  },
  {
    title: 'without a nonce, for a user who lacks a role: yields tokens',
    async ask(server) {
      const client = await server.newClient('web');
      const changes = { nonce: undefined, scope: 'openid orders.read orders.approve' };
      const reply = await new LoginBrowser(server).login(client, 'bob', changes);
      return tokenAnswer(server, await redeem(server, client, codeOf(reply)));
    },
    answer: browserLogin({ ...TO_WEB, of: BOB, roles: ['order-viewer'], kind: 'onrtac', scope: READ }),
  },
  {
    title: 'without openid: no ID token',
    async ask(server) {
      const { client, code } = await newCode(server, 'orders.read');
      return tokenAnswer(server, await redeem(server, client, code));
    },
    answer: browserLogin({ ...TO_WEB, kind: 'onrtac', scope: ['orders.read'] }),
  },
  {
    title: 'yields a token with auth_time that can be introspected and exchanged',
    async ask(server) {
      const client = await server.newClient('web');
      const reply = await tokensFor(server, client);
      const exchanged = textOf(await exchange(server, callerOf(client), textOf(reply), FOR_B));
      return [
        answer(server, await introspect(server, 'service-a', textOf(reply))),
        decoded(server, exchanged)['claims'],
      ];
    },
    answer: [
      active({ ...TO_WEB, kind: 'onrtac', scope: READ }),
      accessTokenClaims({ ...TO_WEB, aud: 'service-b', kind: 'onrtte', scope: ['orders.approve'] }),
    ],
  },
  {
    title:
      'yields a refresh token, which yields a second refresh token, and the ID tokens of both refreshes have no nonce',
    async ask(server) {
      const client = await server.newClient('web');
      const refreshed = await refreshAt(server, client, await tokensFor(server, client));
      return tokenAnswer(server, await refreshAt(server, client, refreshed));
    },
    answer: browserLogin({ ...TO_WEB, kind: 'onrtrt', scope: READ }),
  },
  {
    title: "of a client's second login in one session: the tokens of the first login stay valid",
    async ask(server) {
      const client = await server.newClient('web');
      const browser = new LoginBrowser(server);
      const first = await tokensFor(server, client, browser);
      const second = await moreTokensFor(server, client, browser);
      return [await isActiveAtA(server, first), await isActiveAtA(server, second)];
    },
    answer: [true, true],
  },
  ...BAD_REDEMPTIONS.map(({ title, form, answer: expected }): ContractCase => ({
    title: `with ${title}: is refused, and the code is used up`,
    async ask(server) {
      const { client, code } = await newCode(server);
      return [
        answer(server, await token(server, { ...GOOD, code, ...form }, callerOf(client))),
        answer(server, await redeem(server, client, code)),
      ];
    },
    answer: [expected, NOT_VALID],
  })),
  {
    title: 'without verifier, or without redirect_uri',
    async ask(server) {
      const [one, two] = [await newCode(server), await newCode(server)];
      const { grant_type, redirect_uri, code_verifier } = GOOD;
      return [
        answer(server, await token(server, { grant_type, redirect_uri, code: one.code }, callerOf(one.client))),
        answer(server, await token(server, { grant_type, code_verifier, code: two.code }, callerOf(two.client))),
      ];
    },
    answer: [
      refused(400, 'invalid_grant', 'PKCE code verifier not specified'),
      refused(400, 'invalid_grant', 'Incorrect redirect_uri'),
    ],
  },
  {
    title: 'with a verifier but no challenge',
    async ask(server) {
      const client = await server.newClient('web', { 'pkce.code.challenge.method': '' });
      const none = { code_challenge: undefined, code_challenge_method: undefined };
      const reply = await new LoginBrowser(server).login(client, 'alice', none);
      return answer(server, await redeem(server, client, codeOf(reply)));
    },
    answer: refused(400, 'invalid_grant', 'PKCE code verifier specified but challenge not present in authorization'),
  },
  {
    title: 'by another client: is refused, and the code is used up',
    async ask(server) {
      const { client, code } = await newCode(server);
      const other = await server.newClient('web');
      return [answer(server, await redeem(server, other, code)), answer(server, await redeem(server, client, code))];
    },
    answer: [refused(400, 'invalid_grant', 'Auth error: Found different client_id in clientSession'), NOT_VALID],
  },
  {
    title: 'with a wrong secret: is refused, but the code is still valid',
    async ask(server) {
      const { client, code } = await newCode(server);
      return [
        answer(server, await token(server, { ...GOOD, code }, `${client}:wrong`)),
        (await redeem(server, client, code)).status,
      ];
    },
    answer: [BAD_SECRET, 200],
  },
  ...['junk', 'a.b.c', ''].map((code): ContractCase => ({
    title: `that is "${code}"`,
    ask: async (server) => answer(server, await redeem(server, await server.newClient('web'), code)),
    answer: NOT_VALID,
  })),
  {
    title: 'that is missing',
    ask: async (server) => answer(server, await token(server, GOOD, callerOf(await server.newClient('web')))),
    answer: invalidRequest('Missing parameter: code'),
  },
  {
    title: 'a second time: makes all tokens of the client invalid; the session and tokens of other clients stay valid',
    async ask(server) {
      const [client, other] = [await server.newClient('web'), await server.newClient('web')];
      const browser = new LoginBrowser(server);
      const code = codeOf(await browser.login(client, 'alice'));
      const reply = await redeem(server, client, code);
      const ofOther = await moreTokensFor(server, other, browser);
      const exchanged = textOf(await exchange(server, callerOf(client), textOf(reply), FOR_B));
      const exchangedAtA = await exchangeForB(server, textOf(reply));
      return [
        answer(server, await redeem(server, client, code)),
        await isActiveAtA(server, reply),
        answer(server, await refreshAt(server, client, reply)),
        answer(server, await exchange(server, callerOf(client), textOf(reply), FOR_B)),
        isActive(await introspect(server, 'service-b', exchanged)),
        isActive(await introspect(server, 'service-b', exchangedAtA)),
        await isActiveAtA(server, ofOther),
        (await moreTokensFor(server, client, browser)).status,
      ];
    },
    answer: [NOT_VALID, false, NO_CLIENT, INVALID_TOKEN, false, true, true, 200],
  },
  {
    title: "whose refresh token is revoked: the client's tokens are invalid; the session ends when no client is left",
    async ask(server) {
      const [client, other] = [await server.newClient('web'), await server.newClient('web')];
      const browser = new LoginBrowser(server);
      const reply = await tokensFor(server, client, browser);
      const ofOther = await moreTokensFor(server, other, browser);
      const end = (at: string, of: Reply) => revoke(server, callerOf(at), textOf(of, 'refresh_token'));
      await end(client, reply);
      const between = [
        await isActiveAtA(server, reply),
        answer(server, await refreshAt(server, client, reply)),
        await isActiveAtA(server, ofOther),
      ];
      await end(other, ofOther);
      return [...between, answer(server, await refreshAt(server, other, ofOther))];
    },
    answer: [false, NO_CLIENT, true, refused(400, 'invalid_grant', 'Session not active')],
  },
  {
    title: 'of a session that has ended',
    async ask(server) {
      const client = await server.newClient('web');
      const browser = new LoginBrowser(server);
      const reply = await tokensFor(server, client, browser);
      const code = codeOf(await browser.authorize(client));
      await post(server, '/logout', { refresh_token: textOf(reply, 'refresh_token') }, callerOf(client));
      return answer(server, await redeem(server, client, code));
    },
    answer: NOT_VALID,
  },
  {
    title: 'of a user who was disabled',
    async ask(server) {
      const [username, client] = [await server.newUser('order-viewer'), await server.newClient('web')];
      const browser = new LoginBrowser(server);
      const reply = await tokensFor(server, client, browser, username);
      const code = codeOf(await browser.authorize(client));
      await server.disableUser(username);
      return [
        answer(server, await redeem(server, client, code)),
        answer(server, await refreshAt(server, client, reply)),
      ];
    },
    answer: [refused(400, 'invalid_grant', 'User disabled'), refused(400, 'invalid_grant', 'User disabled')],
  },
];

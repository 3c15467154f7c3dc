/** RFC 9470 §6, OpenID Connect Core §2, §3.1.2.1. */
import { setTimeout as sleep } from 'node:timers/promises';
import { moreTokensFor, redeem, refreshAt, tokensFor } from './code-cases.js';
import { claimsOf } from './demo-realm.js';
import type { ContractCase } from './expectations.js';
import { codeOf, LoginBrowser, type Parameters } from './login-browser.js';
import { clientCredentials, exchange, exchangeForB, exchangeForC, login, textOf, type Reply } from './requests.js';
import { SeenLogins } from './seen-logins.js';
import { callerOf, type ContractServer } from './server.js';

async function begin(server: ContractServer) {
  const client = await server.newClient('web');
  const browser = new LoginBrowser(server);
  const first = await tokensFor(server, client, browser);
  await sleep(1100);
  return { client, browser, first };
}

const again = async (server: ContractServer, client: string, browser: LoginBrowser, changes: Parameters) =>
  redeem(server, client, codeOf(await browser.login(client, 'alice', changes)));

export const AUTHENTICATION_CASES: readonly ContractCase[] = [
  {
    title: 'by a login in a browser: is in the ID token, the access token and the introspection answer',
    async ask(server) {
      const { first } = await begin(server);
      const seen = new SeenLogins();
      const token = textOf(first);
      return [seen.inIdToken(first), seen.in(claimsOf(token)), await seen.byIntrospection(server, token)];
    },
    answer: [
      ['1', 0],
      ['1', 0],
      ['1', 0],
    ],
  },
  {
    title: 'by a password grant, or as a service account: acr is 1, and auth_time is missing',
    async ask(server) {
      const seen = new SeenLogins();
      const tokens = [await login(server, 'alice'), await clientCredentials(server, 'service-a', 'orders.read')].map(
        (reply) => textOf(reply),
      );
      return Promise.all(
        tokens.map(async (token) => [seen.in(claimsOf(token)), await seen.byIntrospection(server, token)]),
      );
    },
    answer: [
      [
        ['1', undefined],
        ['1', undefined],
      ],
      [
        ['1', undefined],
        ['1', undefined],
      ],
    ],
  },
  {
    title: 'by single sign-on: acr and auth_time are the values of the login, even after a refresh',
    async ask(server) {
      const { client, browser, first } = await begin(server);
      const seen = new SeenLogins();
      const replies = [first, await moreTokensFor(server, client, browser)];
      replies.push(await refreshAt(server, client, replies[1] as Reply));
      return replies.map((reply) => seen.inAccessToken(reply));
    },
    answer: [
      ['1', 0],
      ['1', 0],
      ['1', 0],
    ],
  },
  {
    title: 'before a chain of exchanges: auth_time stays, and acr depends on the client that exchanges the token',
    async ask(server) {
      const { client, browser, first } = await begin(server);
      const seen = new SeenLogins();
      seen.inAccessToken(first);
      const token = textOf(await moreTokensFor(server, client, browser));
      const bySameClient = textOf(
        await exchange(server, callerOf(client), token, { scope: 'orders.approve', audience: 'service-b' }),
      );
      const atB = await exchangeForB(server, token);
      const atC = await exchangeForC(server, atB);
      return {
        bySameClient: [seen.in(claimsOf(bySameClient)), await seen.byIntrospection(server, bySameClient, 'service-b')],
        atB: [seen.in(claimsOf(atB)), await seen.byIntrospection(server, atB, 'service-b')],
        atC: [seen.in(claimsOf(atC)), await seen.byIntrospection(server, atC, 'service-c')],
      };
    },
    answer: {
      bySameClient: [
        ['0', 0],
        ['0', 0],
      ],
      atB: [
        ['1', 0],
        ['1', 0],
      ],
      atC: [
        ['1', 0],
        ['1', 0],
      ],
    },
  },
  {
    title: 'before another login in the session: introspection and exchange of earlier tokens show the new login',
    async ask(server) {
      const { client, browser, first } = await begin(server);
      const seen = new SeenLogins();
      const token = textOf(first);
      seen.in(claimsOf(token));
      const atB = await exchangeForB(server, token);
      await moreTokensFor(server, client, browser);
      const afterSso = await seen.byIntrospection(server, token);
      const second = await again(server, client, browser, { prompt: 'login' });
      return {
        afterSso,
        second: seen.inAccessToken(second),
        firstItself: seen.in(claimsOf(token)),
        first: await seen.byIntrospection(server, token),
        exchangedBefore: await seen.byIntrospection(server, atB, 'service-b'),
        exchangedBeforeItself: seen.in(claimsOf(atB)),
        exchangedAfterItself: seen.in(claimsOf(await exchangeForB(server, token))),
      };
    },
    answer: {
      afterSso: ['1', 0],
      second: ['1', 1],
      firstItself: ['1', 0],
      first: ['1', 1],
      exchangedBefore: ['1', 1],
      exchangedBeforeItself: ['1', 0],
      exchangedAfterItself: ['1', 1],
    },
  },
];

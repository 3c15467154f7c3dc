/** The contract of how and when a user has logged in: `acr` and `auth_time` (RFC 9470 §6, OpenID Connect Core §2, §3.1.2.1). */
import { setTimeout as sleep } from 'node:timers/promises';
import { moreTokensFor, redeem, refreshAt, tokensFor } from './code-cases.js';
import { claimsOf } from './demo-realm.js';
import type { ContractCase } from './expectations.js';
import { codeOf, LoginBrowser, type Parameters } from './login-browser.js';
import {
  clientCredentials,
  exchange,
  exchangeForB,
  exchangeForC,
  introspect,
  login,
  textOf,
  type Caller,
  type Reply,
} from './requests.js';
import { NEW_CLIENT_SECRET, type ContractServer } from './server.js';

/** `auth_time` in seconds after the first login; undefined where there is none. */
interface Seen {
  readonly acr: unknown;
  readonly since: number | undefined;
}

/** Counts from the first `auth_time`, since a login takes its time: 0 is that one, and 1 any later one. */
class Logins {
  #first: number | undefined;

  of(claims: Readonly<Record<string, unknown>>): Seen {
    const { acr, auth_time: at } = claims;
    if (at === undefined) return { acr, since: undefined };
    this.#first ??= Number(at);
    return { acr, since: Number(at) > this.#first ? 1 : 0 };
  }
}

const own = (token: string): Readonly<Record<string, unknown>> => claimsOf(token);
const ID = (reply: Reply) => own(textOf(reply, 'id_token'));
const introspected = async (server: ContractServer, caller: Caller, token: string) =>
  (await introspect(server, caller, token)).members;
const callerOf = (client: string) => `${client}:${NEW_CLIENT_SECRET}` as const;

/** A login in a browser, after which the next second has begun. */
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
    title: 'of a login in a browser: in ID token, access token and introspection',
    async ask(server) {
      const { first } = await begin(server);
      const seen = new Logins();
      const token = textOf(first);
      return [seen.of(ID(first)), seen.of(own(token)), seen.of(await introspected(server, 'service-a', token))];
    },
    answer: [
      { acr: '1', since: 0 },
      { acr: '1', since: 0 },
      { acr: '1', since: 0 },
    ],
  },
  {
    title: 'of a password grant and of a service account: acr 1, and no time',
    async ask(server) {
      const seen = new Logins();
      const tokens = [await login(server, 'alice'), await clientCredentials(server, 'service-a', 'orders.read')].map(
        (reply) => textOf(reply),
      );
      return Promise.all(
        tokens.map(async (token) => [seen.of(own(token)), seen.of(await introspected(server, 'service-a', token))]),
      );
    },
    answer: [
      [
        { acr: '1', since: undefined },
        { acr: '1', since: undefined },
      ],
      [
        { acr: '1', since: undefined },
        { acr: '1', since: undefined },
      ],
    ],
  },
  {
    title: 'of single sign-on and a refresh after it: that of the login',
    async ask(server) {
      const { client, browser, first } = await begin(server);
      const seen = new Logins();
      const replies = [first, await moreTokensFor(server, client, browser)];
      replies.push(await refreshAt(server, client, replies[1] as Reply));
      return replies.map((reply) => seen.of(own(textOf(reply))));
    },
    answer: [
      { acr: '1', since: 0 },
      { acr: '1', since: 0 },
      { acr: '1', since: 0 },
    ],
  },
  {
    title: 'along a chain: the time stays, acr is that of the client that exchanges',
    async ask(server) {
      const { client, browser, first } = await begin(server);
      const seen = new Logins();
      seen.of(own(textOf(first)));
      const token = textOf(await moreTokensFor(server, client, browser));
      const bySameClient = textOf(
        await exchange(server, callerOf(client), token, { scope: 'orders.approve', audience: 'service-b' }),
      );
      const atB = await exchangeForB(server, token);
      const atC = await exchangeForC(server, atB);
      return {
        bySameClient: [seen.of(own(bySameClient)), seen.of(await introspected(server, 'service-b', bySameClient))],
        atB: [seen.of(own(atB)), seen.of(await introspected(server, 'service-b', atB))],
        atC: [seen.of(own(atC)), seen.of(await introspected(server, 'service-c', atC))],
      };
    },
    answer: {
      bySameClient: [
        { acr: '0', since: 0 },
        { acr: '0', since: 0 },
      ],
      atB: [
        { acr: '1', since: 0 },
        { acr: '1', since: 0 },
      ],
      atC: [
        { acr: '1', since: 0 },
        { acr: '1', since: 0 },
      ],
    },
  },
  {
    title: 'after another login in the session: introspection says of each earlier token what the session is now',
    async ask(server) {
      const { client, browser, first } = await begin(server);
      const seen = new Logins();
      const token = textOf(first);
      seen.of(own(token));
      const atB = await exchangeForB(server, token);
      await moreTokensFor(server, client, browser);
      const afterSso = seen.of(await introspected(server, 'service-a', token));
      const second = await again(server, client, browser, { prompt: 'login' });
      return {
        afterSso,
        second: seen.of(own(textOf(second))),
        firstItself: seen.of(own(token)),
        first: seen.of(await introspected(server, 'service-a', token)),
        exchangedBefore: seen.of(await introspected(server, 'service-b', atB)),
      };
    },
    answer: {
      afterSso: { acr: '1', since: 0 },
      second: { acr: '1', since: 1 },
      firstItself: { acr: '1', since: 0 },
      first: { acr: '1', since: 1 },
      exchangedBefore: { acr: '1', since: 1 },
    },
  },
];

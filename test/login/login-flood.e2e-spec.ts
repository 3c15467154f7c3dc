import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { Browser, locationOf } from '../../libs/keycloak-test-servers/contract/browser.js';
import { refreshAtEveryUse, startEmbeddedServer } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { logInAt } from '../support/login-at.js';
import { RunningServices } from '../support/running-services.js';

const MAX_CONCURRENT_CALLS = 20;
const CALLBACKS = 200;

let server: RunningAuthorizationServer;
let chain: RunningServices;

beforeAll(async () => {
  server = await startEmbeddedServer();
  await refreshAtEveryUse(server.baseUrl);
  chain = await RunningServices.start({ server, variables: { PUBLIC_URL: publicUrl } });
});
afterEach(() => server.control.fault('token', undefined));
afterAll(async () => {
  await chain.stop();
  await server.stop();
});

async function inventedCallback(browser: Browser): Promise<string> {
  const toKeycloak = await browser.send(`${chain.a.url}/auth/login`);
  const state = new URL(locationOf(toKeycloak) ?? '').searchParams.get('state') ?? '';
  return `${chain.a.url}/auth/callback?${new URLSearchParams({ state, iss: server.issuer, code: 'invented' })}`;
}

const manyStrangers = () =>
  Promise.all(
    Array.from({ length: CALLBACKS }, async () => {
      const browser = new Browser();
      return { browser, callback: await inventedCallback(browser) };
    }),
  );

it('200 anonymous login callbacks cause at most 20 concurrent calls to Keycloak (CC-09)', async () => {
  const strangers = await manyStrangers();
  server.control.fault('token', { kind: 'hang' });
  const answers = await Promise.all(strangers.map(({ browser, callback }) => browser.send(callback)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
  expect(answers.every(({ headers }) => /^[1-9]\d*$/.test(headers.get('retry-after') ?? ''))).toBe(true);
  expect(chain.keycloak.mostAtOnce()).toBeLessThanOrEqual(MAX_CONCURRENT_CALLS);
});

it('a flood of anonymous login callbacks does not delay the refresh of a session (CC-09, BF-08)', async () => {
  const alice = new Browser();
  // Repeats the login, because the circuit for logins may still be open after the previous test.
  while ((await logInAt(chain.a.url, alice, 'alice')).status !== 303) await turn();
  const strangers = await manyStrangers();
  const { token } = server.control.calls;
  const before = token.authorization_code;
  server.control.fault('token', { kind: 'hang' });
  const flood = Promise.all(strangers.map(({ browser, callback }) => browser.send(callback)));
  while (token.authorization_code - before < MAX_CONCURRENT_CALLS) await turn();
  // Only new calls get an answer: the calls of the flood still hang.
  server.control.fault('token', undefined);
  const refreshes = token.refresh_token;
  expect((await alice.send(`${chain.a.url}/run-service-b`)).status).toBe(200);
  expect(token.refresh_token - refreshes).toBe(1);
  // A callback in the queue may still cause a call, and Keycloak refuses the invalid code with 400.
  const statuses = new Set((await flood).map(({ status }) => status));
  expect([...statuses].filter((status) => status !== 400)).toEqual([503]);
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Browser, locationOf, type Page } from '../../libs/keycloak-test-servers/contract/browser.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { RunningServices, ttl } from '../support/running-services.js';

const TTL_SECONDS = 2;
const BUSY_SECONDS = 5;

let keycloak: ContractServer;
let chain: RunningServices;
beforeAll(async () => {
  keycloak = await connectToKeycloak();
  chain = await RunningServices.start({ publicUrl, variables: ttl(TTL_SECONDS) });
});
afterAll(async () => {
  await chain.stop();
  await keycloak.stop();
});

it('Service A ends the session of a disabled user within the ttl plus one second (RS-13, BF-09)', async () => {
  const username = await keycloak.newUser('order-manager');
  const browser = new Browser();
  const form = await browser.open(`${publicUrl}/auth/login`);
  await browser.send(locationOf(await browser.submitLogin(form, username)) ?? '');
  const run = (): Promise<Page> => browser.send(`${publicUrl}/run-service-b`);
  const home = async (): Promise<string> => (await browser.send(`${publicUrl}/`)).text;
  expect((await run()).status).toBe(200);
  expect(await home()).toContain(username);
  await keycloak.disableUser(username);
  const disabledMs = performance.now();
  let last = await run();
  while (last.status === 200 && performance.now() - disabledMs < 10_000) {
    await sleep(50);
    last = await run();
  }
  expect(last.status).toBe(401);
  expect(performance.now() - disabledMs).toBeLessThan((TTL_SECONDS + BUSY_SECONDS) * 1000);
  expect(await home()).not.toContain(username);
});

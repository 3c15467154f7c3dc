import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { keycloakReachesUs, publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { callServiceB, Chromium, logIn } from '../support/chromium.js';
import { canReplicate, ReplicatedServices } from '../support/replicated-services.js';
import { ttl } from '../support/running-services.js';

const REPLICAS = 2;
const VISITS = 6;

const describeWithReplicas = canReplicate ? describe : describe.skip;
const describeWhereKeycloakReachesUs = keycloakReachesUs ? describe : describe.skip;

describeWithReplicas('a login behind a balancer', () => {
  let services: ReplicatedServices;
  let chromium: Chromium;
  let keycloak: ContractServer;

  beforeAll(async () => {
    // The ttl is so long that no replica calls Keycloak again during a test.
    services = await ReplicatedServices.start({ replicas: REPLICAS, publicUrl, variables: ttl(300) });
    keycloak = await connectToKeycloak();
    chromium = await Chromium.start();
  });
  afterAll(async () => {
    await chromium.stop();
    await keycloak.stop();
    await services.stop();
  });
  afterEach(() => chromium.closeClean(services.scanner));

  async function visits(page: Page): Promise<string[]> {
    const seen: string[] = [];
    for (let visit = 0; visit < VISITS; visit += 1) {
      await page.goto('/');
      seen.push(await page.locator('main').innerText());
    }
    return seen;
  }

  it('is valid at all replicas, and ends at all replicas after a logout', async () => {
    const page = await chromium.open();
    const before = await services.haproxy.sentTo('service-a');
    await logIn(page, 'alice');
    for (const text of await visits(page)) expect(text).toContain('Logged in as alice');
    for (let call = 0; call < REPLICAS; call += 1) {
      expect(await callServiceB(page, 'Call Service B as alice')).toContain('Called as alice');
      await page.goto('/');
    }
    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await page.waitForURL(`${publicUrl}/`);
    for (const text of await visits(page)) expect(text).not.toContain('Logged in');
    const sent = (await services.haproxy.sentTo('service-a')).map((count, replica) => count - (before[replica] ?? 0));
    expect(Math.min(...sent)).toBeGreaterThan(VISITS / REPLICAS);
  });

  describeWhereKeycloakReachesUs('that Keycloak ends', () => {
    it('ends at all replicas, because Keycloak sends the logout notice to the balancer', async () => {
      const username = await keycloak.newUser('order-manager');
      const page = await chromium.open();
      await logIn(page, username);
      for (const text of await visits(page)) expect(text).toContain(`Logged in as ${username}`);
      await keycloak.logOutUser(username);
      for (const text of await visits(page)) expect(text).not.toContain(username);
    });
  });

  it('is valid after the replica that handled the login was killed', async () => {
    const page = await chromium.open();
    await logIn(page, 'bob');
    for (const replica of services.of('service-a')) {
      await services.end(replica, 'SIGKILL');
      for (const text of await visits(page)) expect(text).toContain('Logged in as bob');
      await services.startAgain(replica);
    }
  });
});

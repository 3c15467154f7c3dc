import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { Chromium } from '../support/chromium.js';
import { RunningServices } from '../support/running-services.js';

let chain: RunningServices;
let chromium: Chromium;

beforeAll(async () => {
  chain = await RunningServices.start({ publicUrl, variables: { OPENAPI: 'true' } });
  chromium = await Chromium.start();
});
afterAll(async () => {
  await chromium.stop();
  await chain.stop();
});
afterEach(() => chromium.closeClean(chain.scanner));

describe('the HTML page of the OpenAPI document', () => {
  it('shows which routes require authorization', async () => {
    const page = await chromium.open();
    await page.goto('/openapi');
    const order = page.locator('.opblock', { hasText: '/api/orders/{id}' }).first();
    await order.waitFor();
    expect(await order.locator('.authorization__btn').count()).toBe(1);
    const live = page.locator('.opblock', { hasText: '/health/live' });
    expect(await live.locator('.authorization__btn').count()).toBe(0);
  });

  it('sends a request to the service', async () => {
    const page = await chromium.open();
    await page.goto('/openapi');
    const live = page.locator('.opblock', { hasText: '/health/live' });
    await live.locator('.opblock-summary-control').click();
    await live.getByRole('button', { name: 'Try it out' }).click();
    await live.getByRole('button', { name: 'Execute' }).click();
    await live.locator('.live-responses-table').waitFor();
    expect(await live.locator('.live-responses-table tbody .response-col_status').first().innerText()).toContain('200');
  });
});

/** Calls the tools with test tokens, without an authorization server. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { KeycloakTestingModule, signIn, testAccessToken } from 'nestjs-keycloak-s2s/testing';
import { connectTools } from '../src/mcp-nest/connect-tools.js';
import { OrderTools } from '../src/mcp-nest/order-tools.controller.js';
import { OrderToolsEndpoint } from '../src/mcp-nest/order-tools.endpoint.js';
import { OrderToolsModule } from '../src/tools/order-tools.module.js';

process.env['NODE_ENV'] ??= 'test';
const settings = {
  issuer: 'https://sso.test/realms/shop',
  clientSecret: 'tools-secret',
  resource: 'https://tools.test/mcp',
  serviceBUrl: 'https://service-b.test',
};

// #region test
let app: INestApplication;

beforeEach(async () => {
  const imports = [OrderToolsModule.register(settings, [OrderToolsEndpoint, OrderTools])];
  // Without a second argument, the module keeps its options, and so the adapter of the tools.
  const module = await KeycloakTestingModule.override(Test.createTestingModule({ imports })).compile();
  app = module.createNestApplication();
  await connectTools(app);
  await app.listen(0, '127.0.0.1');
});
afterEach(() => app.close());

async function call(name: string, permissions: string[]): Promise<{ status: number; text: string }> {
  const token = signIn(app, testAccessToken({ client: 'agent', permissions }));
  const answer = await fetch(`${await app.getUrl()}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } }),
  });
  return { status: answer.status, text: await answer.text() };
}

describe('the order tools', () => {
  it('name the caller', async () => {
    const { status, text } = await call('whoami', ['tools.use']);
    assert.equal(status, 200);
    assert.match(text, /agent/);
  });

  it('refuse an approval without tools.approve', async () => {
    const { status, text } = await call('approve_order', ['tools.use']);
    assert.equal(status, 403);
    assert.match(text, /"permission":"tools.approve"/);
  });
});
// #endregion test

import { readFileSync } from 'node:fs';
import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { KeycloakTestingModule, signIn, testAccessToken } from 'nestjs-keycloak-s2s/testing';
import { guardHandshakes } from 'nestjs-keycloak-s2s/websockets';
import { WebSocket } from 'ws';
import { OrdersModule } from '../src/orders/orders.module.js';

let app: INestApplication;
let url: URL;
const reports: string[] = [];

const logger = {
  log: (line: unknown, context?: string) => context === 'RouteReport' && reports.push(String(line)),
  warn: (line: unknown) => reports.push(String(line)),
  error: () => {},
};

beforeAll(async () => {
  const orders = OrdersModule.register({ issuer: 'https://sso.test/realms/shop', clientSecret: 'x' });
  const builder = Test.createTestingModule({ imports: [orders] }).setLogger(logger);
  const module = await KeycloakTestingModule.override(builder).compile();
  app = module.createNestApplication(new ExpressAdapter());
  app.useWebSocketAdapter(guardHandshakes(app, new WsAdapter(app)));
  await app.listen(0, '127.0.0.1');
  url = new URL(await app.getUrl());
});

afterAll(() => app.close());

const bearer = (...permissions: string[]): string =>
  `Bearer ${signIn(app, testAccessToken({ client: 'shop', permissions }))}`;

async function query(text: string, authorization: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json', authorization };
  const answer = await fetch(new URL('/graphql', url), {
    method: 'POST',
    headers,
    body: JSON.stringify({ query: text }),
  });
  return answer.json();
}

it('prints the access rule of each handler at startup', () => {
  expect(`${reports.join('\n')}\n`).toBe(readFileSync('boot-report.txt', 'utf8'));
});

it('checks the permission of a query and of each field', async () => {
  expect(await query('{ orders { label } }', bearer('orders.read'))).toEqual({
    data: { orders: [{ label: 'Order 1' }] },
  });
  expect(await query('{ orders { price } }', bearer('orders.read'))).toMatchObject({
    data: null,
    errors: [{ extensions: { code: 'insufficient_scope', permission: 'orders.price' } }],
  });
});

it('refuses a WebSocket connection without a token', async () => {
  const status = (headers: Record<string, string>) =>
    new Promise((resolve) => {
      const socket = new WebSocket(`ws://${url.host}/news`, { headers });
      socket.once('open', () => (socket.close(), resolve('open')));
      socket.once('unexpected-response', (_, response) => resolve(response.statusCode));
    });
  expect(await status({})).toBe(401);
  expect(await status({ authorization: bearer() })).toBe('open');
});

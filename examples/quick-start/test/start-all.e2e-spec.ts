import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { freePort } from 'keycloak-test-servers';
import { tokenOf } from './token-of.js';

let ordersUrl: string;
let inventoryUrl: string;
let issuer: string;
let running: ChildProcess;
let printed = '';

beforeAll(async () => {
  const [orders, inventory, keycloak] = [await freePort(), await freePort(), await freePort()];
  ordersUrl = `http://localhost:${orders}`;
  inventoryUrl = `http://localhost:${inventory}`;
  issuer = `http://localhost:${keycloak}/realms/shop`;
  const ports = { PORT: `${orders}`, INVENTORY_PORT: `${inventory}`, KEYCLOAK_PORT: `${keycloak}` };
  const env = { ...process.env, ...ports, NODE_ENV: 'development', AUTHORIZATION_SERVER: 'embedded' };
  running = spawn(process.execPath, ['dist/src/start-all.js'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const text of running.stdout!.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    printed += text;
    if (/^orders at .+\n/m.test(printed)) break;
  }
  // The test reads all output, since a full pipe would block the process.
  running.stdout!.resume();
});

afterAll(() => void running.kill('SIGKILL'));

async function ask(url: string, token?: string) {
  const answer = await fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  return { status: answer.status, body: await answer.json() };
}

it('prints the issuer, and the address of the service orders', () => {
  expect(printed).toContain(`orders at ${ordersUrl}, on the embedded server ${issuer}\n`);
});

it('refuses a request without a token', async () => {
  expect(await ask(`${ordersUrl}/orders/pen`)).toMatchObject({ status: 401, body: { code: 'missing_token' } });
});

it('answers Alice, and passes her identity on to inventory', async () => {
  expect(await ask(`${ordersUrl}/orders/pen`, await tokenOf(issuer, 'alice'))).toEqual({
    status: 200,
    body: { article: 'pen', left: 3, reader: expect.any(String), through: 'orders' },
  });
});

it('names the permission that Bob lacks', async () => {
  expect(await ask(`${ordersUrl}/orders/pen`, await tokenOf(issuer, 'bob'))).toMatchObject({
    status: 403,
    body: { code: 'insufficient_scope', permission: 'stock.read' },
  });
});

it("refuses Alice's token for orders at inventory", async () => {
  expect(await ask(`${inventoryUrl}/stock/pen`, await tokenOf(issuer, 'alice'))).toMatchObject({
    status: 401,
    body: { code: 'invalid_token' },
  });
});

it('ends with Ctrl-C', async () => {
  running.kill('SIGINT');
  expect(await once(running, 'exit')).toEqual([0, null]);
  await expect(fetch(`${ordersUrl}/orders/pen`)).rejects.toThrow('fetch failed');
});

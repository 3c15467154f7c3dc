// Compares the answers of the service before and after the migration. After the migration, `inventory` gets an
// exchanged token instead of the user's token.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { freePort, startTestServer } from 'keycloak-test-servers';

// The embedded server has published passwords and refuses to start in production.
process.env.NODE_ENV = 'test';

/** @typedef {[user: string | undefined, method: string, path: string, status: number, body?: object]} Request */

/** @type {Request[]} */
const REQUESTS = [
  [undefined, 'GET', '/orders/health', 200, { status: 'up' }],
  [undefined, 'GET', '/orders/greeting', 200, { hello: 'stranger' }],
  ['alice', 'GET', '/orders/greeting', 200, { hello: 'alice' }],
  [undefined, 'GET', '/orders', 401],
  ['nobody', 'GET', '/orders', 401],
  ['bob', 'GET', '/orders', 200, { orders: [1], of: 'bob' }],
  ['alice', 'POST', '/orders/approve', 200, { approved: true }],
  ['bob', 'POST', '/orders/approve', 403],
  ['carol', 'DELETE', '/orders/1', 200, { removed: 1 }],
  ['bob', 'DELETE', '/orders/1', 403],
  ['alice', 'GET', '/orders/stock', 200, { left: 3 }],
];

const secrets = { ORDERS_CLIENT_SECRET: 'orders-secret', INVENTORY_CLIENT_SECRET: 'inventory-secret' };
/** @type {Record<string, string>} */
const tokens = { nobody: 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln' };
/** @type {string[]} */
const received = [];
const inventory = createServer((request, response) => {
  received.push(request.headers.authorization?.slice('Bearer '.length) ?? '');
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"left":3}');
});
/** @type {Awaited<ReturnType<typeof startTestServer>>} */
let keycloak;

before(async () => {
  keycloak = await startTestServer({ realm: 'realm.json', environment: secrets });
  inventory.listen(0, '127.0.0.1');
  await once(inventory, 'listening');
  for (const username of ['alice', 'bob', 'carol']) {
    const form = { grant_type: 'password', client_id: 'cli', username, password: username };
    const url = `${keycloak.issuer}/protocol/openid-connect/token`;
    const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
    tokens[username] = (await answer.json()).access_token;
  }
});

after(async () => {
  inventory.close();
  await keycloak?.stop();
});

/** @param {string} main @param {(url: string) => Promise<void>} use */
async function running(main, use) {
  const port = await freePort();
  const { port: inventoryPort } = /** @type {import('node:net').AddressInfo} */ (inventory.address());
  const env = {
    ...process.env,
    PORT: String(port),
    KEYCLOAK_URL: keycloak.issuer.replace(/\/realms\/.*/, ''),
    CLIENT_SECRET: 'orders-secret',
    INVENTORY_URL: `http://127.0.0.1:${inventoryPort}`,
  };
  const service = spawn(process.execPath, [main], { env, stdio: 'inherit' });
  const url = `http://127.0.0.1:${port}`;
  try {
    while ((await fetch(`${url}/orders/health`).catch(() => undefined)) === undefined) {
      assert.equal(service.exitCode, null, `${main} has ended`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await use(url);
  } finally {
    service.kill();
  }
}

/** @param {string} url @param {Request} request */
async function send(url, [user, method, path]) {
  const headers = user === undefined ? undefined : { authorization: `Bearer ${tokens[user]}` };
  const answer = await fetch(`${url}${path}`, { method, ...(headers === undefined ? {} : { headers }) });
  return { status: answer.status, body: await answer.json() };
}

/** @param {string} token */
const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

for (const main of ['before/dist/main.js', 'dist/main.js']) {
  test(`${main} answers as agreed`, () =>
    running(main, async (url) => {
      for (const request of REQUESTS) {
        const [user, method, path, status, body] = request;
        const name = `${user} ${method} ${path}`;
        const answer = await send(url, request);
        assert.equal(answer.status, status, name);
        if (body !== undefined) assert.deepEqual(answer.body, body, name);
      }
    }));
}

test('inventory gets the token of the user before the migration, and an exchanged token after the migration', () => {
  const [forwarded, exchanged] = received.map(claimsOf);
  assert.deepEqual([forwarded.azp, [forwarded.aud].flat()], ['cli', ['orders']]);
  assert.deepEqual([exchanged.azp, [exchanged.aud].flat()], ['orders', ['inventory']]);
  assert.equal(exchanged.sub, forwarded.sub);
});

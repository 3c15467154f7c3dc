// Starts the built services `orders` and `inventory` of the current folder, and sends them requests.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../libs/keycloak-test-servers/dist/index.js';

const { ISSUER = '', ORDERS_PATH = '', INVENTORY_PATH = '' } = process.env;

const inventory = await started('inventory', INVENTORY_PATH, {});
const orders = await started('orders', ORDERS_PATH, { INVENTORY_URL: inventory.url });
try {
  const [alice, bob] = [await tokenOf('alice'), await tokenOf('bob')];
  const answers = {
    public: await ask(orders.url),
    withoutToken: await ask(`${orders.url}/orders/pen`),
    alice: await ask(`${orders.url}/orders/pen`, alice),
    bob: await ask(`${orders.url}/orders/pen`, bob),
    stolen: await ask(`${inventory.url}/stock/pen`, alice),
  };
  const statuses = Object.fromEntries(Object.entries(answers).map(([name, { status }]) => [name, status]));
  assert.deepEqual(statuses, { public: 200, withoutToken: 401, alice: 200, bob: 403, stolen: 401 });
  assert.equal(JSON.parse(answers.alice.text).left, 3);
} finally {
  for (const { child } of [orders, inventory]) child.kill();
}

/** @param {string} service @param {string} path @param {Record<string, string>} environment */
async function started(service, path, environment) {
  const port = await freePort();
  const child = spawn(join(path, 'node'), ['dist/main'], {
    cwd: service,
    stdio: 'inherit',
    env: {
      ...environment,
      NODE_ENV: 'development',
      PORT: String(port),
      KEYCLOAK_ISSUER: ISSUER,
      KEYCLOAK_CLIENT_SECRET: `${service}-secret`,
    },
  });
  const url = `http://127.0.0.1:${port}`;
  const hasEnded = once(child, 'exit').then(() => Promise.reject(new Error(`${service} has ended`)));
  hasEnded.catch(() => undefined);
  const isUp = async () => {
    while ((await fetch(url).catch(() => undefined))?.status !== 200) await sleep(50);
  };
  await Promise.race([isUp(), hasEnded]);
  return { url, child };
}

/** @param {string} username */
async function tokenOf(username) {
  const form = { grant_type: 'password', client_id: 'cli', username, password: username, scope: 'openid orders.read' };
  const body = new URLSearchParams(form);
  const answer = await fetch(`${ISSUER}/protocol/openid-connect/token`, { method: 'POST', body });
  const { access_token: token } = /** @type {{ access_token: string }} */ (await answer.json());
  return token;
}

/** @param {string} url @param {string} [token] */
async function ask(url, token) {
  const answer = await fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  return { status: answer.status, text: await answer.text() };
}

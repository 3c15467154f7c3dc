import assert from 'node:assert/strict';
import { ask, tokenOf } from './ask.js';
import { startBoth } from './both.js';

async function main(): Promise<void> {
  const { ordersUrl, inventoryUrl, close } = await startBoth();
  const alice = await tokenOf('alice');
  assert.equal((await ask(`${ordersUrl}/orders/public`)).status, 200);
  assert.equal((await ask(`${ordersUrl}/orders/guarded`)).status, 401);
  assert.equal((await ask(`${ordersUrl}/orders/guarded`, alice)).status, 200);
  assert.equal((await ask(`${ordersUrl}/orders/forgotten`, alice)).status, 403);
  for (const route of ['stock', 'stock-by-http-service']) {
    const stock = await ask(`${ordersUrl}/orders/${route}`, alice);
    assert.deepEqual([stock.status, stock.body['left'], stock.body['through']], [200, 3, 'orders']);
  }
  assert.equal((await ask(`${inventoryUrl}/stock`, alice)).status, 401);
  await close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

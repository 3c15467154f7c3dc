/** Both services at an authorization server that has the realm of `examples/quick-start`. */
import { ask, tokenOf } from '../src/ask.js';
import { startBoth, type Both } from '../src/both.js';

let both: Both;

beforeAll(async () => {
  both = await startBoth();
});

afterAll(() => both.close());

describe('the chain', () => {
  it('runs in the name of alice', async () => {
    const answer = await ask(`${both.ordersUrl}/orders/stock`, await tokenOf('alice'));
    expect(answer).toMatchObject({ status: 200, body: { left: 3, through: 'orders' } });
  });

  it('is refused to bob, who lacks the permission at the end of it', async () => {
    const answer = await ask(`${both.ordersUrl}/orders/stock`, await tokenOf('bob'));
    expect(answer).toMatchObject({ status: 403, body: { code: 'insufficient_scope', permission: 'stock.read' } });
  });

  it('opens nothing else: a token for orders is refused by inventory', async () => {
    const answer = await ask(`${both.inventoryUrl}/stock`, await tokenOf('alice'));
    expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
  });
});

import { ask, tokenOf } from '../src/ask.js';
import { startBoth, type Both } from '../src/both.js';

let both: Both;

beforeAll(async () => {
  both = await startBoth();
});

afterAll(() => both.close());

describe('the chain', () => {
  it.each(['stock', 'stock-by-http-service'])('runs on behalf of alice: %s', async (route) => {
    const answer = await ask(`${both.ordersUrl}/orders/${route}`, await tokenOf('alice'));
    expect(answer).toMatchObject({ status: 200, body: { left: 3, through: 'orders' } });
  });

  it.each(['stock', 'stock-by-http-service'])(
    'refuses bob, because bob lacks the last permission: %s',
    async (route) => {
      const answer = await ask(`${both.ordersUrl}/orders/${route}`, await tokenOf('bob'));
      expect(answer).toMatchObject({ status: 403, body: { code: 'insufficient_scope', permission: 'stock.read' } });
    },
  );

  it('refuses a token for orders at inventory', async () => {
    const answer = await ask(`${both.inventoryUrl}/stock`, await tokenOf('alice'));
    expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
  });
});

import { expect, it } from '@jest/globals';
import { testAccessToken } from 'nestjs-keycloak-s2s/testing';
import { OrdersController } from './orders.controller.js';
import { StockClient } from './stock.client.js';

// #region test
it('reads the stock for its caller', async () => {
  const stock: Pick<StockClient, 'read'> = {
    read: async (caller) => ({ left: 3, reader: caller.subject, through: 'orders' }),
  };
  const controller = new OrdersController(stock as StockClient);
  const caller = testAccessToken({ subject: 'alice', claims: { email: 'alice@example.com' } });
  expect(await controller.offer(caller, 'pen')).toMatchObject({ article: 'pen', reader: 'alice' });
});
// #endregion test

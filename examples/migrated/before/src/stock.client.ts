import { Injectable } from '@nestjs/common';

// #region client
@Injectable()
export class StockClient {
  async read(authorization: string): Promise<{ left: number }> {
    const answer = await fetch(`${process.env['INVENTORY_URL']}/stock`, { headers: { authorization } });
    return (await answer.json()) as { left: number };
  }
}
// #endregion client

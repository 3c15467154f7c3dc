import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';

export interface StockLevel {
  readonly sku: string;
  readonly quantity: number;
}

const MAX_QUANTITY = 1_000_000_000;

@Injectable()
export class InventoryService {
  readonly #stock = new Map([
    ['A-1', 100],
    ['B-2', 20],
  ]);

  adjust(sku: string, by: number): StockLevel {
    const quantity = this.#stock.get(sku);
    if (quantity === undefined) throw new NotFoundException({ error: `No such sku: ${sku}`, code: 'sku_not_found' });
    const adjusted = quantity + by;
    if (adjusted < 0 || adjusted > MAX_QUANTITY) {
      throw new ConflictException({ error: `${quantity} of ${sku} in stock`, code: 'stock_out_of_range' });
    }
    this.#stock.set(sku, adjusted);
    return { sku, quantity: adjusted };
  }
}

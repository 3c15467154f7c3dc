import { Injectable, NotFoundException } from '@nestjs/common';
import type { Order } from '../processing.client.js';

const ORDERS: readonly Order[] = [
  { order_id: 9876, amount: 1500 },
  { order_id: 9877, amount: 240.5 },
  { order_id: 9878, amount: 19.99 },
];

@Injectable()
export class OrdersService {
  find(id: string): Order {
    const order = ORDERS.find(({ order_id }) => String(order_id) === id);
    if (order === undefined) throw new NotFoundException({ error: 'No such order', code: 'order_not_found' });
    return order;
  }
}

import { Injectable, NotFoundException } from '@nestjs/common';

export interface Receipt {
  readonly fileName: string;
  readonly document: Buffer;
}

const RECEIPTS: Readonly<Record<string, string>> = {
  '9876':
    'Receipt for order 9876\n\n12 chairs, oak       1,440.00 €\nDelivery                60.00 €\nTotal                1,500.00 €\n',
  '9877': 'Receipt for order 9877\n\n1 table, ash           240.50 €\nTotal                  240.50 €\n',
  '9878': 'Receipt for order 9878\n\n1 lamp                  19.99 €\nTotal                   19.99 €\n',
};

@Injectable()
export class ReceiptsService {
  find(id: string): Receipt {
    const text = Object.hasOwn(RECEIPTS, id) ? RECEIPTS[id] : undefined;
    if (text === undefined) throw new NotFoundException({ error: 'No such receipt', code: 'receipt_not_found' });
    return { fileName: `receipt-${id}.txt`, document: Buffer.from(text) };
  }
}

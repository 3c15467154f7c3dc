import type { RefusedPage } from '../login/refusal-page.filter.js';
import type { Page } from '../pages/pages.js';
import type { Order, ProcessedOrder } from '../processing.client.js';

export interface RefundPage {
  readonly order: Order;
  readonly csrfToken: string | undefined;
  readonly wasNotSent: boolean;
}

export const refundPage = (model: RefundPage): Page => ({ template: 'refund', model });

export const refundedPage = (answer: ProcessedOrder): Page => ({ template: 'refunded', model: { answer } });

export const refundRefusedPage = (refused: RefusedPage): Page => ({ template: 'refund-refused', model: refused });

/** Refund page: the page models for an order that can be refunded, for one that was, and for a refusal. */
import type { RefusedPage } from '../login/refusal-page.filter.js';
import type { Page } from '../pages/pages.js';
import type { Order, ProcessedOrder } from '../processing.client.js';

export interface RefundPage {
  readonly order: Order;
  /** Of the session; without one there is no form. */
  readonly csrfToken: string | undefined;
  /** Whether the form was sent before, and refused: the login that followed sent nothing. */
  readonly wasNotSent: boolean;
}

export const refundPage = (model: RefundPage): Page => ({ template: 'refund', model });

export const refundedPage = (answer: ProcessedOrder): Page => ({ template: 'refunded', model: { answer } });

export const refundRefusedPage = (refused: RefusedPage): Page => ({ template: 'refund-refused', model: refused });

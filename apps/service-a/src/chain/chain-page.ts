import type { RefusedPage } from '../login/refusal-page.filter.js';
import type { Page } from '../pages/pages.js';
import type { ProcessedOrder } from '../processing.client.js';
import { NO_DETAILS, type ChainDetails } from './chain-details.js';
import { PARTIES } from './parties.js';

export function chainSucceededPage(answer: ProcessedOrder, caller: string, details: ChainDetails = NO_DETAILS): Page {
  return { template: 'chain-succeeded', model: { answer, caller, json: pretty(answer), ...shown(details) } };
}

export function chainRefusedPage(refused: RefusedPage, details: ChainDetails = NO_DETAILS): Page {
  return { template: 'chain-refused', model: { ...refused, json: pretty(refused.body), ...shown(details) } };
}

const shown = (details: ChainDetails) => ({ ...details, parties: Object.values(PARTIES) });

function pretty(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}

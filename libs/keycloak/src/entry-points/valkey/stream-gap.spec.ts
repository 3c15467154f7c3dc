import { describe, expect, it } from '@jest/globals';
import type { StreamPage } from './revocation-stream.js';
import { checkSame, Gap, type Place } from './stream-gap.js';

const PLACE: Place = { epoch: 'e', position: 5, tip: 'five' };
const PAGE: StreamPage = { epoch: 'e', first: 1, last: 5, tip: 'five', entries: [], proof: '', nowMs: 0 };

describe('checkSame', () => {
  it.each<[string, Place, Partial<StreamPage>]>([
    ['ends at the position of this replica', PLACE, {}],
    ['continues after the position of this replica', PLACE, { last: 6, tip: 'six' }],
    ['begins directly after the position of this replica', PLACE, { first: 6 }],
    ['ends at the position of a replica that has read no entry', { ...PLACE, tip: undefined }, { tip: 'another' }],
  ])('finds no gap in a stream that %s', (_, place, page) => {
    expect(() => checkSame(place, { ...PAGE, ...page })).not.toThrow();
  });

  it.each<[string, Partial<StreamPage>]>([
    ['another_epoch', { epoch: 'f' }],
    ['rolled_back', { last: 4 }],
    ['dropped_unread', { first: 7, last: 8 }],
    ['another_past', { tip: 'another' }],
  ])('throws a Gap with the reason %s', (reason, page) => {
    expect(() => checkSame(PLACE, { ...PAGE, ...page })).toThrow(new Gap(reason));
  });
});

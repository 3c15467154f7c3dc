import { expect, it } from '@jest/globals';
import { SESSION_REVOKED } from './security-event-types.js';
import { MAX_ENTRIES, Outbox, type OutboxEntry } from './outbox.js';

const entry = (number: number, receiver = 'a'): OutboxEntry => ({
  jti: String(number),
  receiver,
  type: SESSION_REVOKED,
  createdAt: number * 1000,
  jws: Promise.resolve('a.b.c'),
});

const idsIn = (outbox: Outbox, receiver = 'a'): string[] => outbox.pending(receiver).map(({ jti }) => jti);

it('returns entries in the order of arrival, even if the entries were held', () => {
  const outbox = new Outbox();
  outbox.add(entry(2), 'HELD');
  outbox.add(entry(1), 'PENDING');
  outbox.release('a');
  expect(idsIn(outbox)).toEqual(['2', '1']);
});

it('drops the oldest entry if the outbox is full', () => {
  const outbox = new Outbox();
  for (let number = 0; number <= MAX_ENTRIES; number += 1) outbox.add(entry(number), 'PENDING');
  const ids = idsIn(outbox);
  expect([ids.length, ids[0], ids.at(-1)]).toEqual([MAX_ENTRIES, '1', String(MAX_ENTRIES)]);
});

it('changes only the entries of the given receiver', () => {
  const outbox = new Outbox();
  outbox.add(entry(1), 'PENDING');
  outbox.add(entry(2, 'b'), 'PENDING');
  outbox.settle('a', ['1', '2'], 'DELIVERED');
  outbox.deleteQueued('a');
  outbox.hold('a');
  expect([idsIn(outbox), idsIn(outbox, 'b')]).toEqual([[], ['2']]);
  outbox.deleteAll('b');
  expect(outbox.statistics()).toEqual({ DELIVERED: { count: 1, oldestCreatedAt: 1 } });
});

it('purges entries older than a given time', () => {
  const outbox = new Outbox();
  for (const number of [1, 2, 3]) outbox.add(entry(number), 'PENDING');
  expect([outbox.purge('HELD', undefined), outbox.purge('PENDING', 2000), idsIn(outbox)]).toEqual([0, 1, ['2', '3']]);
});

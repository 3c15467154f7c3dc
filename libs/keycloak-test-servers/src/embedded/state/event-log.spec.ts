import { expect, it } from '@jest/globals';
import { EventLog, MAX_EVENTS, type LoggedEvent } from './event-log.js';

const event = (number: number): LoggedEvent => ({ id: String(number), time: number });

it('returns events in the order of arrival', () => {
  const log = new EventLog();
  log.add(event(2));
  log.add(event(1));
  expect(log.all().map(({ id }) => id)).toEqual(['2', '1']);
});

it('drops the oldest event if the log is full', () => {
  const log = new EventLog();
  for (let number = 0; number <= MAX_EVENTS; number += 1) log.add(event(number));
  expect(log.all()).toHaveLength(MAX_EVENTS);
  expect(log.all()[0]).toEqual(event(1));
  expect(log.all().at(-1)).toEqual(event(MAX_EVENTS));
});

it('contains no events after the log is cleared', () => {
  const log = new EventLog();
  log.add(event(1));
  log.clear();
  expect(log.all()).toEqual([]);
});

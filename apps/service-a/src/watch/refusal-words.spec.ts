import { describe, expect, it } from '@jest/globals';
import { fromTheCause, fromTheFirst, inWords, type Late } from './refusal-words.js';

const late = (...times: readonly (readonly [letter: string, ms: number])[]): Late[] =>
  times.map(([letter, lateMs]) => ({ service: `Service ${letter}`, lateMs }));

describe('the words that say when a service refused a token', () => {
  it.each([
    [late(['A', 700]), 'Refused 0.7 s later, at A'],
    [late(['A', 560], ['C', 640], ['B', 690]), 'Refused 0.7 s later, at A, B and C'],
    [late(['A', 700], ['B', 8300], ['C', 9100]), 'Refused 0.7 s later at A, 8.3 s at B, 9.1 s at C'],
    [late(['A', 700], ['C', 8300], ['B', 8400]), 'Refused 0.7 s later at A, 8.4 s at B and C'],
    [late(['A', -20]), 'Refused 0.0 s later, at A'],
  ])('measure the delay from the cause of the refusal: %#', (times, words) => {
    expect(fromTheCause(times)).toBe(words);
  });

  it.each([
    [late(['A', 0]), 'Refused at A'],
    [late(['A', 0], ['B', 20]), 'Refused at A and B'],
    [late(['A', 0], ['B', 90], ['C', 120]), 'Refused at A, and 0.1 s later at B and C'],
    [late(['B', 0], ['A', 900], ['C', 8200]), 'Refused at B, and 0.9 s later at A, and 8.2 s later at C'],
  ])('measure the delay from the first refusal if the cause is unknown: %#', (times, words) => {
    expect(fromTheFirst(times)).toBe(words);
  });

  it('name each service that refused the token', () => {
    expect([inWords(['Service B']), inWords(['Service A', 'Service C'])]).toEqual(['Service B', 'Services A and C']);
  });
});

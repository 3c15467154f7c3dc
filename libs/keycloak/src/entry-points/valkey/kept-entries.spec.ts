import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { KeptEntries } from './kept-entries.js';

const digestOf = (number: number): Buffer => createHash('sha256').update(String(number)).digest();

describe('KeptEntries', () => {
  it('keeps the entries in order while entries are added and dropped', () => {
    const kept = new KeptEntries();
    const expected: number[] = [];
    for (let number = 0; number < 1000; number += 1) {
      kept.add(digestOf(number), number);
      expected.push(number);
      const dropped = number % 7 === 0 ? number % 11 : 0;
      kept.dropFirst(dropped);
      expected.splice(0, dropped);
    }
    expect(kept.length).toBe(expected.length);
    expect(expected.map((_, at) => kept.usefulUntilMs(at))).toEqual(expected);
    expect(expected.every((number, at) => kept.digest(at).equals(digestOf(number)))).toBe(true);
    expect(kept.usefulUntilMs(expected.length)).toBe(Infinity);
    kept.dropFirst(Infinity);
    expect([kept.length, kept.usefulUntilMs(0)]).toEqual([0, Infinity]);
  });
});

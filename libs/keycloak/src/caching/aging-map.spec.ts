import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AgingMap } from './aging-map.js';

describe('AgingMap', () => {
  it('returns the first entry of a new Map iterator after any operations (model)', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.record({ key, does: fc.constantFrom('set', 'set', 'delete', 'look', 'clear') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const map = new AgingMap<number>();
        const expected = new Map<string, number>();
        for (const [at, { key: name, does }] of steps.entries()) {
          if (does === 'clear') [map, expected].forEach((each) => each.clear());
          if (does === 'delete') map.delete(name);
          if (does === 'set') map.set(name, at);
          if (does === 'delete' || does === 'set') expected.delete(name);
          if (does === 'set') expected.set(name, at);
          const looked = does === 'look' ? map.first() : undefined;
          expect(looked).toBe(does === 'look' ? expected.values().next().value : undefined);
          expect([...map]).toEqual([...expected]);
        }
        expect(map.first()).toBe(expected.values().next().value);
      }),
    );
  });
});

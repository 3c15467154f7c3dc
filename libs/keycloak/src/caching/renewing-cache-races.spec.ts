import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { StillClock } from '../../spec-support/still-clock.js';
import { RenewingCache, type Renewable } from './renewing-cache.js';

interface Value {
  readonly key: string;
  readonly number: number;
  readonly sentAtMs: number;
}

const FRESH_MS = 80;
const USABLE_MS = 100;

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant('get'), key: fc.constantFrom('a', 'b') }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('forget'), key: fc.constantFrom('a', 'b') }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('delete'), key: fc.constantFrom('a', 'b') }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('wait'), ms: fc.constantFrom(1, 10, 79, 80, 99, 100) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('fail', 'heal') }) },
);

describe('RenewingCache in any order of events', () => {
  it('never returns an expired, evicted or wrong value (CC-01, CC-02)', async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(step, { minLength: 1, maxLength: 20 }),
        fc.constantFrom(1, 10),
        async (s, steps, maxEntries) => {
          const clock = new StillClock();
          const obtained = new Set<string>();
          const cache = new RenewingCache<Value>(
            maxEntries,
            clock,
            () => 0,
            (key) => obtained.delete(key),
          );
          const given = new Map<string, Value>();
          const forgottenBefore = new Map<string, number>();
          const inAir = new Map<string, number>();
          const landed = new Set<number>();
          let sent = 0;
          let failing = false;

          const obtain = (key: string) => async (): Promise<Renewable<Value>> => {
            obtained.add(key);
            const value = { key, number: ++sent, sentAtMs: clock.monotonicMs() };
            const fails = failing;
            // During a call for a key, a second call may start only after an eviction.
            const others = inAir.get(key);
            expect(others === undefined || others <= (forgottenBefore.get(key) ?? 0)).toBe(true);
            inAir.set(key, value.number);
            await s.schedule(Promise.resolve(), `answer ${key}${value.number}`);
            if (inAir.get(key) === value.number) inAir.delete(key);
            expect(obtained.has(key) || value.number <= (forgottenBefore.get(key) ?? 0)).toBe(true);
            if (fails) throw new Error('unavailable');
            landed.add(value.number);
            return { value, usableMs: USABLE_MS - (clock.monotonicMs() - value.sentAtMs), freshMs: FRESH_MS };
          };

          const get = async (key: string): Promise<void> => {
            const landedBefore = new Set(landed);
            const forgotten = forgottenBefore.get(key) ?? 0;
            const calledAtMs = clock.monotonicMs();
            const value = await Promise.resolve(cache.get(key, obtain(key))).catch(() => undefined);
            if (value === undefined) return;
            expect(value.key).toBe(key);
            expect(value.number).toBeGreaterThan(forgotten);
            expect(!landedBefore.has(value.number) || calledAtMs < value.sentAtMs + USABLE_MS).toBe(true);
            given.set(key, value);
          };

          const act = async (todo: (typeof steps)[number]): Promise<void> => {
            await s.schedule(Promise.resolve(), JSON.stringify(todo));
            for (const key of ['a', 'b']) expect(cache.peek(key) === undefined || obtained.has(key)).toBe(true);
            if ('ms' in todo) clock.advance(todo.ms / 1000);
            else if (!('key' in todo)) failing = todo.what === 'fail';
            else if (todo.what === 'get') await get(todo.key);
            else if (todo.what === 'forget') {
              cache.evict(todo.key);
              forgottenBefore.set(todo.key, sent);
            } else {
              const value = given.get(todo.key);
              if (value !== undefined) cache.delete(todo.key, value);
            }
          };
          await s.waitFor(Promise.all(steps.map(act)));
          await s.waitAll();
          await new Promise(setImmediate);
          clock.advance(USABLE_MS / 1000);
          for (const key of ['a', 'b']) cache.peek(key);
          expect([...obtained]).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });
});

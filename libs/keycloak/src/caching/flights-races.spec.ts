import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Flights } from './flights.js';

const call = fc.record({ key: fc.constantFrom('a', 'b'), fails: fc.boolean() });

describe('Flights in any order of events', () => {
  it('runs one call per key, and gives its result only to the callers that wait for this call (CC-02)', async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(call, { minLength: 1, maxLength: 12 }), async (s, calls) => {
        const flights = new Flights<string>();
        const inAir = new Map<string, string>();
        let begun = 0;

        const start = (key: string, fails: boolean) => async (): Promise<string> => {
          const name = `${key}${++begun}`;
          expect(inAir.has(key)).toBe(false);
          inAir.set(key, name);
          await s.schedule(Promise.resolve(), `answer ${name}`);
          inAir.delete(key);
          if (fails) throw new Error(name);
          return name;
        };
        const caller = async ({ key, fails }: (typeof calls)[number]): Promise<void> => {
          await s.schedule(Promise.resolve(), `call ${key}`);
          const joined = inAir.get(key);
          const outcome = await flights.run(key, start(key, fails)).catch((error: Error) => error.message);
          expect(outcome).toMatch(joined ?? new RegExp(`^${key}\\d+$`));
        };
        const all = Promise.all(calls.map(caller));
        await s.waitFor(all);

        for (const key of ['a', 'b']) {
          const before = begun;
          const late = flights.run(key, start(key, false));
          await s.waitAll();
          expect(await late).toBe(`${key}${before + 1}`);
        }
      }),
    );
  });
});

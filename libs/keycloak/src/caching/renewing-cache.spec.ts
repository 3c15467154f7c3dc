import { describe, expect, it } from '@jest/globals';
import { RenewingCache } from './renewing-cache.js';

/** A cache whose values are usable for 100 ms and fresh for 80, and what obtains them. */
function setUp() {
  const clock = { nowMs: 0, epochSeconds: () => 0, monotonicMs: () => clock.nowMs };
  const cache = new RenewingCache<string>(10, clock);
  const flights: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const obtain = () =>
    new Promise<{ value: string; usableMs: number; freshMs: number }>((resolve, reject) => {
      const value = `v${flights.length + 1}`;
      flights.push({ resolve: () => resolve({ value, usableMs: 100, freshMs: 80 }), reject });
    });
  const get = () => cache.get('k', obtain);
  const first = async (): Promise<void> => {
    const value = get();
    flights[0]?.resolve();
    await value;
  };
  return { clock, cache, flights, get, first };
}

describe('RenewingCache', () => {
  it('obtains a value once for all who want it', async () => {
    const { flights, get } = setUp();
    const values = Promise.all([get(), get(), get()]);
    flights[0]?.resolve();
    expect(await values).toEqual(['v1', 'v1', 'v1']);
    expect(await get()).toBe('v1');
    expect(flights).toHaveLength(1);
  });

  it('renews in the background while the old value serves (CC-01)', async () => {
    const { clock, flights, get, first } = setUp();
    await first();
    clock.nowMs = 79;
    await get();
    expect(flights).toHaveLength(1);
    clock.nowMs = 80;
    expect(await Promise.all([get(), get()])).toEqual(['v1', 'v1']);
    expect(flights).toHaveLength(2);
    flights[1]?.resolve();
    await new Promise(setImmediate);
    expect(await get()).toBe('v2');
  });

  it('serves the old value to its deadline when renewal fails, and then the failure (CC-01, CC-02)', async () => {
    const { clock, flights, get, first } = setUp();
    await first();
    clock.nowMs = 90;
    expect(await get()).toBe('v1');
    flights[1]?.reject(new Error('unavailable'));
    await new Promise(setImmediate);
    clock.nowMs = 99;
    expect(await get()).toBe('v1');
    clock.nowMs = 100;
    const late = get();
    flights[2]?.reject(new Error('unavailable'));
    await expect(late).rejects.toThrow('unavailable');
    const again = get();
    flights[3]?.resolve();
    expect(await again).toBe('v4');
  });

  it('forgets a value, and only the one that is meant', async () => {
    const { cache, flights, get, first } = setUp();
    await first();
    cache.delete('k', 'another');
    expect(await get()).toBe('v1');
    cache.delete('k', 'v1');
    const next = get();
    flights[1]?.resolve();
    expect(await next).toBe('v2');
    cache.forget('k');
    void get();
    expect(flights).toHaveLength(3);
  });
});

import { describe, expect, it } from '@jest/globals';
import { RenewingCache } from './renewing-cache.js';

function setUp(keepFailureMs = 0) {
  const clock = { nowMs: 0, epochSeconds: () => 0, monotonicMs: () => clock.nowMs };
  const cache = new RenewingCache<string>(10, clock, () => keepFailureMs);
  const flights: { resolve: (usableMs?: number, freshMs?: number) => void; reject: (error: Error) => void }[] = [];
  const obtain = () =>
    new Promise<{ value: string; usableMs: number; freshMs: number }>((resolve, reject) => {
      const value = `v${flights.length + 1}`;
      flights.push({
        resolve: (usableMs = 100, freshMs = 80) => resolve({ value, usableMs, freshMs }),
        reject,
      });
    });
  const get = async () => cache.get('k', obtain);
  const first = async (): Promise<void> => {
    const value = get();
    flights[0]?.resolve();
    await value;
  };
  return { clock, cache, flights, get, first };
}

describe('RenewingCache', () => {
  it('obtains a value once for concurrent callers', async () => {
    const { flights, get } = setUp();
    const values = Promise.all([get(), get(), get()]);
    flights[0]?.resolve();
    expect(await values).toEqual(['v1', 'v1', 'v1']);
    expect(await get()).toBe('v1');
    expect(flights).toHaveLength(1);
  });

  it('renews a value in the background, and meanwhile returns the old value (CC-01)', async () => {
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

  it('returns the old value until its deadline if renewals fail (CC-01, CC-02)', async () => {
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

  it.each([
    ['has just expired', 0, 0],
    ['expired some time ago', -500, -400],
    ['expires before the current value', 9, 8],
  ])('keeps the current value when the renewal returns a value that %s (CC-01)', async (_what, usableMs, freshMs) => {
    const { clock, flights, get, first } = setUp();
    await first();
    clock.nowMs = 90;
    await get();
    flights[1]?.resolve(usableMs, freshMs);
    await new Promise(setImmediate);
    clock.nowMs = 99;
    expect(await get()).toBe('v1');
    expect(flights).toHaveLength(2);
    clock.nowMs = 100;
    const next = get();
    flights[2]?.resolve();
    expect(await next).toBe('v3');
  });

  it('stores a renewed value if it does not expire before the old value', async () => {
    const { clock, flights, get, first } = setUp();
    await first();
    clock.nowMs = 90;
    await get();
    flights[1]?.resolve(10, 8);
    await new Promise(setImmediate);
    expect(await get()).toBe('v2');
  });

  it.each([
    ['a second', 0, 1000],
    ['as long as the new value is fresh', 3000, 3000],
  ])('waits for %s after a renewal that did not return a better value (CC-01)', async (_what, freshMs, pauseMs) => {
    const { clock, flights, get } = setUp();
    const value = get();
    flights[0]?.resolve(100_000, 10_000);
    await value;
    clock.nowMs = 10_000;
    await get();
    flights[1]?.resolve(freshMs + 1, freshMs);
    await new Promise(setImmediate);
    clock.nowMs += pauseMs - 1;
    await get();
    expect(flights).toHaveLength(2);
    clock.nowMs += 1;
    expect(await get()).toBe('v1');
    expect(flights).toHaveLength(3);
  });

  it('returns a value that expired during its request only to the waiting callers (CC-01)', async () => {
    const { flights, get } = setUp();
    const waiting = [get(), get()];
    flights[0]?.resolve(0, 0);
    expect(await Promise.all(waiting)).toEqual(['v1', 'v1']);
    const next = get();
    flights[1]?.resolve();
    expect(await next).toBe('v2');
  });

  it('renews without delay after a success that follows a failure', async () => {
    const { clock, flights, get, first } = setUp(20_000);
    await first();
    clock.nowMs = 80;
    await get();
    flights[1]?.reject(new Error('refused'));
    await new Promise(setImmediate);
    clock.nowMs = 100;
    await expect(get()).rejects.toThrow('refused');
    clock.nowMs = 20_080;
    const next = get();
    flights[2]?.resolve(5000, 1);
    await next;
    clock.nowMs += 1;
    await get();
    flights[3]?.reject(new Error('refused'));
    await new Promise(setImmediate);
    clock.nowMs += 1000;
    await get();
    flights[4]?.resolve(4100, 1);
    await new Promise(setImmediate);
    clock.nowMs += 4100;
    const last = get();
    flights[5]?.resolve();
    expect(await last).toBe('v6');
  });

  it('removes only the given value with delete(), and any value with evict()', async () => {
    const { cache, flights, get, first } = setUp();
    await first();
    cache.delete('k', 'another');
    expect(await get()).toBe('v1');
    cache.delete('k', 'v1');
    const next = get();
    flights[1]?.resolve();
    expect(await next).toBe('v2');
    cache.evict('k');
    void get();
    expect(flights).toHaveLength(3);
  });
});

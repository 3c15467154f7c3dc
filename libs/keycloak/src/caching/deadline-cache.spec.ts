import { describe, expect, it } from '@jest/globals';
import { DeadlineCache } from './deadline-cache.js';

function cacheOf<V = string>(maxEntries: number) {
  const clock = { nowMs: 1000, epoch: 0, epochSeconds: () => clock.epoch, monotonicMs: () => clock.nowMs };
  return { clock, cache: new DeadlineCache<V>(maxEntries, clock) };
}

describe('DeadlineCache', () => {
  it('returns a value until just before its deadline', () => {
    const { clock, cache } = cacheOf(10);
    cache.set('k', 'v', 500);
    clock.nowMs = 1499;
    expect(cache.get('k')).toBe('v');
    clock.nowMs = 1500;
    expect(cache.get('k')).toBeUndefined();
    clock.nowMs = 1000;
    expect(cache.get('k')).toBeUndefined();
  });

  it('follows the monotonic clock, not the date', () => {
    const { clock, cache } = cacheOf(10);
    cache.set('k', 'v', 500);
    clock.epoch = 1e9;
    expect(cache.get('k')).toBe('v');
    clock.epoch = -1e9;
    clock.nowMs = 1500;
    expect(cache.get('k')).toBeUndefined();
  });

  it('does not extend the lifetime of a value on reads', () => {
    const { clock, cache } = cacheOf(10);
    cache.set('k', 'v', 500);
    for (clock.nowMs = 1000; clock.nowMs < 1500; clock.nowMs += 100) expect(cache.get('k')).toBe('v');
    expect(cache.get('k')).toBeUndefined();
  });

  it('evicts the least recently used value when the cache is full', () => {
    const { cache } = cacheOf(2);
    cache.set('a', 'A', 500);
    cache.set('b', 'B', 500);
    expect(cache.get('a')).toBe('A');
    cache.set('c', 'C', 500);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual(['A', undefined, 'C']);
  });

  it.each([0, -1, Number.NaN, Number.NEGATIVE_INFINITY])('stores no value with a lifetime of %d', (lifetimeMs) => {
    const { clock, cache } = cacheOf(10);
    cache.set('k', 'v', lifetimeMs);
    clock.nowMs = -1e12;
    expect(cache.get('k')).toBeUndefined();
  });

  it('drops the stored value if a new value for the key has already expired', () => {
    const { cache } = cacheOf(10);
    cache.set('k', 'older', 500);
    cache.set('k', 'newer', 0);
    expect(cache.get('k')).toBeUndefined();
  });

  it('deletes the value of a key only if the key still has the given value', () => {
    const { cache } = cacheOf<object>(10);
    const older = {};
    const newer = {};
    cache.set('k', newer, 500);
    cache.delete('k', older);
    expect(cache.get('k')).toBe(newer);
    cache.delete('k', newer);
    expect(cache.get('k')).toBeUndefined();
    cache.delete('unknown', newer);
  });

  it.each(['__proto__', 'constructor', ''])('accepts %j as a key', (key) => {
    const { cache } = cacheOf(10);
    expect(cache.get(key)).toBeUndefined();
    cache.set(key, 'v', 500);
    expect(cache.get(key)).toBe('v');
  });
});

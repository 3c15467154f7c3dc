import { setImmediate as afterAllPromises, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { StillClock } from '../../spec-support/still-clock.js';
import type { ConnectedSharedCache, SharedLookup } from './shared-cache.js';
import { SharedLevel } from './shared-level.js';

class SlowCache implements ConnectedSharedCache {
  looked = 0;
  extended = 0;
  readonly #pending: (() => void)[] = [];

  constructor(
    private readonly clock: StillClock,
    private readonly isInTime: boolean,
  ) {}

  readonly look = (): Promise<SharedLookup> => {
    this.looked += 1;
    return this.#after({ kind: 'lease' });
  };
  readonly open = () => this.#after(undefined);
  readonly put = () => this.#after(undefined);
  readonly extend = (): Promise<void> => {
    this.extended += 1;
    return this.#after(undefined);
  };
  readonly release = () => this.#after(undefined);
  readonly close = async () => undefined;

  async passMs(ms: number): Promise<void> {
    this.clock.advance(ms / 1000);
    for (const end of this.#pending.splice(0)) end();
    await afterAllPromises();
  }

  async #after<T>(answer: T): Promise<T> {
    await new Promise<void>((resolve) => this.#pending.push(resolve));
    if (!this.isInTime) throw new Error('timeout');
    return answer;
  }
}

const MANY = 10_000;

describe('SharedLevel', () => {
  const levels: SharedLevel[] = [];
  afterEach(async () => {
    for (const level of levels.splice(0)) await level.close();
  });

  function manyLook(isInTime: boolean): { readonly cache: SlowCache; readonly over: () => number } {
    const clock = new StillClock();
    const cache = new SlowCache(clock, isInTime);
    const level = new SharedLevel(cache, clock, () => undefined);
    levels.push(level);
    let over = 0;
    for (let n = 0; n < MANY; n += 1) void level.find(`token ${n}`, 10_000, () => undefined).then(() => (over += 1));
    return { cache, over: () => over };
  }

  it('ends all queued lookups when the shared cache times out', async () => {
    const { cache, over } = manyLook(false);
    await cache.passMs(50);
    expect(over()).toBe(MANY);
    expect(cache.looked).toBeLessThan(100);
  });

  it('limits the wait of a queued lookup to three seconds', async () => {
    const { cache, over } = manyLook(true);
    for (let passedMs = 0; passedMs <= 3000; passedMs += 40) await cache.passMs(40);
    expect(over()).toBe(MANY);
    expect(cache.looked).toBeLessThan(MANY);
  });

  it('sends no second lease extension while the first lease extension is pending', async () => {
    const clock = new StillClock();
    const cache = new SlowCache(clock, true);
    const level = new SharedLevel(cache, clock, () => undefined);
    levels.push(level);
    const found = level.find('token', 10_000, () => undefined);
    await cache.passMs(1);
    await found;
    await sleep(1000);
    expect(cache.extended).toBe(1);
    await cache.passMs(1);
    while (cache.extended < 2) await sleep(10);
  });

  it('looks up every token of a burst if the shared cache answers', async () => {
    const { cache, over } = manyLook(true);
    while (over() < MANY) await cache.passMs(1);
    expect(cache.looked).toBe(MANY);
  });

  describe('a peek', () => {
    function levelOf(look: () => Promise<SharedLookup>) {
      const released: string[] = [];
      const release = async (key: string): Promise<void> => void released.push(key);
      const others = { open: async () => undefined, put: async () => undefined, extend: async () => undefined };
      const level = new SharedLevel(
        { ...others, look, release, close: async () => undefined },
        new StillClock(),
        () => undefined,
      );
      levels.push(level);
      return { level, released };
    }
    const text = (found: string): string => found;

    it.each<[SharedLookup['kind'], SharedLookup, string | undefined, readonly string[]]>([
      ['found', { kind: 'found', text: 'kept', ageMs: 0, id: '1' }, 'kept', []],
      ['taken', { kind: 'taken' }, undefined, []],
      ['lease', { kind: 'lease' }, undefined, ['token']],
    ])('looks once, and keeps no lease: %s', async (_kind, looked, value, releases) => {
      let looks = 0;
      const { level, released } = levelOf(async () => {
        looks += 1;
        return looked;
      });
      expect((await level.peek('token', 10_000, text))?.value).toBe(value);
      expect(looks).toBe(1);
      expect(released).toEqual(releases);
    });

    it('leaves the lease of a lookup in this process if the shared cache fails', async () => {
      let fails = false;
      const { level, released } = levelOf(async () => {
        if (fails) throw new Error('timeout');
        return { kind: 'lease' };
      });
      await level.find('token', 10_000, text);
      fails = true;
      expect(await level.peek('token', 10_000, text)).toBeUndefined();
      expect(released).toEqual([]);
    });
  });
});

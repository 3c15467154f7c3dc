import { describe, expect, it } from '@jest/globals';
import { Bulkhead, NoSlotError } from './bulkhead.js';

const LONG_MS = 60_000;

function bulkheadWith(slots: number, maxWaiting: number) {
  const bulkhead = new Bulkhead(slots, maxWaiting);
  const inside: string[] = [];
  return {
    bulkhead,
    inside,
    comes: async (name: string, signal?: AbortSignal, maxWaitMs = LONG_MS): Promise<void> => {
      await bulkhead.enter(maxWaitMs, signal);
      inside.push(name);
    },
  };
}

describe('a bulkhead (RS-16, CC-09)', () => {
  it('admits callers while a slot is free, and later admits waiting callers in order of arrival', async () => {
    const { bulkhead, inside, comes } = bulkheadWith(2, 10);
    expect([bulkhead.enter(LONG_MS, undefined), bulkhead.enter(LONG_MS, undefined)]).toEqual([undefined, undefined]);
    const waiting = [comes('a'), comes('b'), comes('c')];
    bulkhead.leave();
    await waiting[0];
    expect(inside).toEqual(['a']);
    bulkhead.leave();
    bulkhead.leave();
    await Promise.all(waiting);
    expect(inside).toEqual(['a', 'b', 'c']);
    for (let left = 0; left < 2; left += 1) bulkhead.leave();
    expect(bulkhead.enter(LONG_MS, undefined)).toBeUndefined();
  });

  it('immediately refuses callers when the queue is full', async () => {
    const { bulkhead, comes } = bulkheadWith(1, 1);
    void bulkhead.enter(LONG_MS, undefined);
    const waiting = comes('a');
    await expect(comes('b')).rejects.toBeInstanceOf(NoSlotError);
    bulkhead.leave();
    await waiting;
    expect(() => new Bulkhead(0, 0).enter(LONG_MS, undefined)).toThrow(NoSlotError);
  });

  it('skips a queued caller that aborted', async () => {
    const { bulkhead, inside, comes } = bulkheadWith(1, 2);
    void bulkhead.enter(LONG_MS, undefined);
    const abort = new AbortController();
    const reason = new Error('no longer wanted');
    const gone = comes('gone', abort.signal);
    const next = comes('next');
    abort.abort(reason);
    await expect(gone).rejects.toBe(reason);
    const last = comes('last');
    bulkhead.leave();
    await next;
    bulkhead.leave();
    await last;
    expect(inside).toEqual(['next', 'last']);
  });

  it('refuses a caller that has waited for its maximum time', async () => {
    const { bulkhead, inside, comes } = bulkheadWith(1, 2);
    void bulkhead.enter(LONG_MS, undefined);
    const patient = comes('patient');
    await expect(comes('hasty', undefined, 5)).rejects.toBeInstanceOf(NoSlotError);
    bulkhead.leave();
    await patient;
    expect(inside).toEqual(['patient']);
  });
});

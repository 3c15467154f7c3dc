import { describe, expect, it } from '@jest/globals';
import { inTime } from './in-time.js';
import { UsageError } from './usage-error.js';

const MINUTE_MS = 60_000;

describe('inTime', () => {
  it('returns the result, and passes a failure through', async () => {
    expect(await inTime(Promise.resolve(4), MINUTE_MS, 'too slow')).toBe(4);
    await expect(inTime(Promise.reject(new RangeError('x')), MINUTE_MS, 'too slow')).rejects.toThrow(RangeError);
  });

  it('gives up on work that never ends', async () => {
    await expect(inTime(new Promise(() => {}), 1, 'too slow')).rejects.toThrow(new UsageError('too slow'));
  });
});

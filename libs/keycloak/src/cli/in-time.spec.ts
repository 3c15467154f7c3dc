import { describe, expect, it } from '@jest/globals';
import { inTime } from './in-time.js';
import { UsageError } from './usage-error.js';

const MINUTE_MS = 60_000;

describe('inTime', () => {
  it('returns the result of the work, or rejects with the error of the work', async () => {
    expect(await inTime(Promise.resolve(4), MINUTE_MS, 'too slow')).toBe(4);
    await expect(inTime(Promise.reject(new RangeError('x')), MINUTE_MS, 'too slow')).rejects.toThrow(RangeError);
  });

  it('rejects after the time limit if the work never ends', async () => {
    await expect(inTime(new Promise(() => {}), 1, 'too slow')).rejects.toThrow(new UsageError('too slow'));
  });
});

import { once } from 'node:events';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { timeLimit } from './time-limit.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('timeLimit', () => {
  it('aborts even after a garbage collection', async () => {
    const other = new AbortController();
    const limit = timeLimit(200, other.signal);
    const ended = once(limit, 'abort').then(() => 'ended');
    // A weak reference keeps its object alive until the event loop's next turn.
    await setImmediate();
    collectGarbage();
    expect(await Promise.race([ended, sleep(400, 'goes on')])).toBe('ended');
    expect(limit.reason).toMatchObject({ name: 'TimeoutError' });
  });

  it('aborts with the reason of the given signal, and also works without a signal', async () => {
    const other = new AbortController();
    const limit = timeLimit(60_000, other.signal);
    other.abort(new Error('given up'));
    expect(limit.reason).toBe(other.signal.reason);
    expect(timeLimit(60_000, AbortSignal.abort()).aborted).toBe(true);
    await once(timeLimit(1, undefined), 'abort');
  });
});

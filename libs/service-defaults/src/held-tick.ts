/** Held tick: keeps `process.nextTick` as fast as it is when the process starts. */
import { executionAsyncResource } from 'node:async_hooks';

const held = new Set<object>();

/**
 * Node makes an object for each tick. V8 forgets what such an object looks like when a full garbage collection finds none, as one at the start does, and
 * then makes them the slow way for as long as the process lives. One that is held is always found (decision 38).
 */
export function holdTick(): void {
  process.nextTick(() => {
    if (held.size === 0) held.add(executionAsyncResource());
  });
}

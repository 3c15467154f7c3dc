import { createHook } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import { giveEngineHints } from './engine-hints.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function ticksLeftOf(run: () => void): Promise<number> {
  const ticks: WeakRef<object>[] = [];
  const hook = createHook({
    init: (_id, type, _trigger, resource) => {
      if (type === 'TickObject') ticks.push(new WeakRef(resource));
    },
  });
  hook.enable();
  run();
  hook.disable();
  // A new weak reference keeps its target until the event loop's next turn.
  await setImmediate();
  collectGarbage();
  await setImmediate();
  collectGarbage();
  return ticks.filter((tick) => tick.deref() !== undefined).length;
}

it('giveEngineHints keeps only one tick object in memory, even after a second call', async () => {
  expect(await ticksLeftOf(() => process.nextTick(() => undefined))).toBe(0);

  expect(await ticksLeftOf(giveEngineHints)).toBe(1);
  expect(await ticksLeftOf(giveEngineHints)).toBe(0);
});

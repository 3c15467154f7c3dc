// How much of the old space a list of listeners takes that dies at once, after a start that kept many, with the hints of the services and without.
import { withHintsAndWithout } from '../measure/engine-hints.mjs';
import { figure } from '../report.mjs';

export const name = 'young-listeners';
export const title = 'bytes of the old space for each list of listeners, with the hints of the services and without';
export const counts = true;

/** With a young space of full size, as a service has when it has started. */
const FLAGS = ['--min-semi-space-size=16'];
const MEASURE = `
  import { EventEmitter } from 'node:events';
  import { setImmediate } from 'node:timers/promises';
  import { getHeapSpaceStatistics } from 'node:v8';
  const nothing = () => {};
  const emitter = () => new EventEmitter().on('event', nothing).on('event', nothing);
  const kept = Array.from({ length: 150 }, emitter);
  for (let n = 0; n < 3; n += 1) {
    gc({ type: 'minor' });
    await setImmediate();
  }
  const run = async (count) => {
    for (let left = count; left > 0; left -= 500) {
      for (let n = 0; n < 500; n += 1) emitter();
      await setImmediate();
    }
  };
  const oldBytes = () => getHeapSpaceStatistics().find((space) => space.space_name === 'old_space').space_used_size;
  await run(50_000);
  gc();
  const before = oldBytes();
  await run(20_000);
  console.log(kept.length === 150 ? (oldBytes() - before) / 20_000 : NaN);
`;

export async function run({ rounds, say, signal }) {
  const unit = 'bytes';
  const results = await withHintsAndWithout(MEASURE, { flags: FLAGS, unit, rounds, say, signal });
  const note = `Node ${process.version}`;
  return [
    figure('a list of listeners: bytes of the old space, with hints', results.with, {
      unit,
      must: { atMost: 10 },
      note,
    }),
    figure('a list of listeners: bytes of the old space, without', results.without, { unit }),
  ];
}

// How much of the old space a list of listeners takes that dies at once, after a start that kept many, with the hints of the services and without.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { figure } from '../report.mjs';

export const name = 'young-listeners';
export const title = 'bytes of the old space for each list of listeners, with the hints of the services and without';
export const counts = true;

const inAProcess = promisify(execFile);

/** In a process of its own, with a young space of full size, as a service has when it has started. */
const FLAGS = ['--expose-gc', '--min-semi-space-size=16', '--input-type=module'];
const PROBE = `
  import { EventEmitter } from 'node:events';
  import { setImmediate } from 'node:timers/promises';
  import { getHeapSpaceStatistics } from 'node:v8';
  const [hints] = process.argv.slice(1);
  if (hints !== '') (await import(hints)).giveEngineHints();
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
  const results = { with: [], without: [] };
  const hints = {
    with: new URL('../../libs/service-defaults/dist/engine-hints.js', import.meta.url).href,
    without: '',
  };
  for (let round = 1; round <= rounds; round += 1) {
    for (const [which, bytes] of Object.entries(results)) {
      const { stdout } = await inAProcess(process.execPath, [...FLAGS, '--eval', PROBE, hints[which]], { signal });
      bytes.push(Number(stdout));
    }
    say(
      `round ${round}: ${results.with.at(-1).toFixed(1)} bytes with hints, ${results.without.at(-1).toFixed(1)} without`,
    );
  }
  const note = `Node ${process.version}`;
  return [
    figure('a list of listeners: bytes of the old space, with hints', results.with, {
      unit: 'bytes',
      must: { atMost: 10 },
      note,
    }),
    figure('a list of listeners: bytes of the old space, without', results.without, { unit: 'bytes' }),
  ];
}

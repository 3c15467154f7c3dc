// What `process.nextTick` costs after full garbage collections, where the services hold the object of a tick and where nobody does.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { paired } from '../measure/rounds.mjs';
import { figure } from '../report.mjs';

export const name = 'next-tick';
export const title = 'CPU of `process.nextTick` after full garbage collections, with a tick that is held and without';

const inAProcess = promisify(execFile);
const TICKS = 300_000;

/** In a process of its own, since what V8 has forgotten it does not learn again. */
const PROBE = `
  import { setImmediate } from 'node:timers/promises';
  const [hold, ticks] = process.argv.slice(1);
  if (hold !== '') (await import(hold)).giveEngineHints();
  const nothing = () => {};
  const run = async (count) => {
    for (let left = count; left > 0; left -= 500) {
      for (let n = 0; n < 500; n += 1) process.nextTick(nothing);
      await setImmediate();
    }
  };
  await run(500);
  for (let n = 0; n < 4; n += 1) {
    gc();
    await setImmediate();
  }
  await run(Number(ticks));
  const before = process.cpuUsage();
  await run(Number(ticks));
  const { user, system } = process.cpuUsage(before);
  console.log(((user + system) * 1000) / Number(ticks));
`;

export async function run({ rounds, say, signal }) {
  const results = { held: [], forgotten: [] };
  const hold = {
    held: new URL('../../libs/service-defaults/dist/engine-hints.js', import.meta.url).href,
    forgotten: '',
  };
  for (let round = 1; round <= rounds; round += 1) {
    for (const [which, nanos] of Object.entries(results)) {
      const args = ['--expose-gc', '--input-type=module', '--eval', PROBE, hold[which], String(TICKS)];
      const { stdout } = await inAProcess(process.execPath, args, { signal });
      nanos.push(Number(stdout));
    }
    say(
      `round ${round}: ${results.held.at(-1).toFixed(0)} ns held, ${results.forgotten.at(-1).toFixed(0)} ns forgotten`,
    );
  }
  const note = `Node ${process.version}`;
  return [
    figure(
      'process.nextTick: CPU with a held tick, of that without',
      paired(results.held, results.forgotten, (a, b) => a / b),
      {
        unit: '×',
        must: { atMost: 0.5 },
        note,
      },
    ),
    figure('process.nextTick: CPU with a held tick', results.held, { unit: 'ns' }),
    figure('process.nextTick: CPU without', results.forgotten, { unit: 'ns' }),
  ];
}

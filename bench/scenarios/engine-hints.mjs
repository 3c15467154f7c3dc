// Measures the effect of each of the two V8 hints of the services (docs/decisions/0038).
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { paired } from '../measure/rounds.mjs';
import { figure } from '../report.mjs';

export const name = 'engine-hints';
export const title = 'the two hints that the services give V8, with them and without';
export const counts = true;

const inAProcess = promisify(execFile);
const HINTS = new URL('../../libs/service-defaults/dist/engine-hints.js', import.meta.url).href;
const TICKS = 300_000;

/** The garbage collections in this script make V8 discard an optimization permanently. */
const TICK = {
  unit: 'ns',
  flags: [],
  source: `
  import { setImmediate } from 'node:timers/promises';
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
  await run(${TICKS});
  const before = process.cpuUsage();
  await run(${TICKS});
  const { user, system } = process.cpuUsage(before);
  console.log(((user + system) * 1000) / ${TICKS});
`,
};

/** Sets the young space to its full size, as in a long-running service. */
const LISTENERS = {
  unit: 'bytes',
  flags: ['--min-semi-space-size=16'],
  source: `
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
`,
};

const note = `Node ${process.version}`;

export async function run(bench) {
  return [...(bench.counts ? [] : await ticks(bench)), ...(await listeners(bench))];
}

async function ticks(bench) {
  const { unit } = TICK;
  const { with: held, without } = await withHintsAndWithout(TICK, bench);
  return [
    figure(
      'process.nextTick: CPU with a held tick, of that without',
      paired(held, without, (a, b) => a / b),
      { unit: '×', must: { atMost: 0.5 }, note },
    ),
    figure('process.nextTick: CPU with a held tick', held, { unit }),
    figure('process.nextTick: CPU without', without, { unit }),
  ];
}

async function listeners(bench) {
  const { unit } = LISTENERS;
  const results = await withHintsAndWithout(LISTENERS, bench);
  return [
    figure('a list of listeners: bytes of the old space, with hints', results.with, {
      unit,
      must: { atMost: 10 },
      note,
    }),
    figure('a list of listeners: bytes of the old space, without', results.without, { unit }),
  ];
}

async function withHintsAndWithout({ source, flags, unit }, { rounds, say, signal }) {
  const results = { with: [], without: [] };
  const beginnings = { with: `import { giveEngineHints } from '${HINTS}'; giveEngineHints();`, without: '' };
  for (let round = 1; round <= rounds; round += 1) {
    for (const [which, values] of Object.entries(results)) {
      const args = ['--expose-gc', ...flags, '--input-type=module', '--eval', `${beginnings[which]}\n${source}`];
      const { stdout } = await inAProcess(process.execPath, args, { signal });
      values.push(Number(stdout));
    }
    say(
      `round ${round}: ${results.with.at(-1).toFixed(1)} ${unit} with hints, ${results.without.at(-1).toFixed(1)} without`,
    );
  }
  return results;
}

// What `process.nextTick` costs after full garbage collections, where the services hold the object of a tick and where nobody does.
import { withHintsAndWithout } from '../measure/engine-hints.mjs';
import { paired } from '../measure/rounds.mjs';
import { figure } from '../report.mjs';

export const name = 'next-tick';
export const title = 'CPU of `process.nextTick` after full garbage collections, with a tick that is held and without';

const TICKS = 300_000;

/** What V8 has forgotten it does not learn again. */
const MEASURE = `
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
`;

export async function run({ rounds, say, signal }) {
  const unit = 'ns';
  const { with: held, without } = await withHintsAndWithout(MEASURE, { flags: [], unit, rounds, say, signal });
  const ratio = paired(held, without, (a, b) => a / b);
  const note = `Node ${process.version}`;
  return [
    figure('process.nextTick: CPU with a held tick, of that without', ratio, {
      unit: '×',
      must: { atMost: 0.5 },
      note,
    }),
    figure('process.nextTick: CPU with a held tick', held, { unit }),
    figure('process.nextTick: CPU without', without, { unit }),
  ];
}

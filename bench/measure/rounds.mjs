// Runs the contenders in interleaved rounds (A B C, then B C A), so that a disturbance affects all contenders.
import { setTimeout as sleep } from 'node:timers/promises';
import { allAnswered } from './load.mjs';
import { median } from './statistics.mjs';

/** The number of rounds is multiplied by this factor, since processes differ by as much CPU time as a guard costs. */
export const ROUNDS_MORE = 3;

/** V8 has optimized the hot code after this number of requests. */
export const WARM_UP_REQUESTS = 20_000;

/** The services cache introspection results for 10 s. */
const RENEWS_AFTER_MS = 11_000;

/** The share of a slice that is not measured, since the caches of a waiting process become cold. */
const UNCOUNTED_SHARE = 0.1;

const SLICES = 3;

/**
 * Each contender is `{ name, start, requests }`. `start()` returns `{ processes, load }`, and `load(requests)` returns
 * the result of `closedLoop`.
 *
 * Each round starts new processes, because processes differ in memory layout and compiled code.
 *
 * A round has `perSecond`, and `cpuMicros` is the CPU time of all `processes` per request: the median of its `slices`.
 * Other users of the hardware slow a machine for seconds, so more and shorter `slices` make a comparison more exact.
 */
export async function interleaved(contenders, options) {
  const { rounds, requests, slices: count = SLICES, warmUp = WARM_UP_REQUESTS, say, signal } = options;
  const results = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    const started = [];
    for (const { name, start, requests: own } of rotated(contenders, round - 1)) {
      const { processes, load } = await start();
      const inSlice = own ?? Math.ceil(requests / count);
      const warm = await warmed(async () => allAnswered(await load(Math.max(warmUp, inSlice))));
      started.push({ ...warm, name, processes, load, inSlice, slices: [] });
    }
    await warmedAgain(started, signal);
    for (let slice = 0; slice < count; slice += 1) {
      for (const { processes, load, inSlice, slices } of started) {
        signal?.throwIfAborted();
        allAnswered(await load(Math.ceil(inSlice * UNCOUNTED_SHARE)));
        slices.push(await measured(processes, () => load(inSlice)));
      }
    }
    for (const { name, processes, slices } of started) {
      const result = middle(slices);
      results[name].push(result);
      const { cpuMicros, systemMicros, perSecond } = result;
      say?.(
        `round ${round}: ${name}: ${cpuMicros.toFixed(1)} µs CPU per request ` +
          `(kernel ${systemMicros.toFixed(1)}), ${perSecond.toFixed(0)} requests/s`,
      );
      await Promise.all(processes.map((one) => one.stop()));
    }
  }
  return results;
}

export async function warmed(warmUp) {
  await warmUp();
  return { warmUp, warmMs: performance.now() };
}

/** V8 compiles the renewal code only after the introspection results have expired. */
export async function warmedAgain(all, signal) {
  for (const { warmUp, warmMs } of all) {
    await sleep(Math.max(0, warmMs + RENEWS_AFTER_MS - performance.now()), undefined, { signal });
    await warmUp();
  }
}

/** The first contender waits longest for its measurement, so each round starts with another contender. */
function rotated(contenders, by) {
  const first = by % contenders.length;
  return [...contenders.slice(first), ...contenders.slice(0, first)];
}

/** The median of the slices. */
function middle(slices) {
  const of = (value) => median(slices.map(value));
  return {
    cpuMicros: of(({ cpuMicros }) => cpuMicros),
    systemMicros: of(({ systemMicros }) => systemMicros),
    each: slices[0].each.map((_, at) => of(({ each }) => each[at])),
    slices,
    perSecond: of(({ perSecond }) => perSecond),
  };
}

export async function measured(processes, load) {
  const before = await Promise.all(processes.map((one) => one.ask('cpu')));
  const { requests, seconds, ...rest } = await load();
  allAnswered(rest);
  const after = await Promise.all(processes.map((one) => one.ask('cpu')));
  const parts = after.map(({ user, system }, at) => ({
    user: (user - before[at].user) / requests,
    system: (system - before[at].system) / requests,
  }));
  const each = parts.map(({ user, system }) => user + system);
  const systemMicros = sum(parts.map(({ system }) => system));
  return { cpuMicros: sum(each), systemMicros, each, perSecond: requests / seconds };
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

export function paired(ours, theirs, compare) {
  return ours.map((one, at) => compare(one, theirs[at]));
}

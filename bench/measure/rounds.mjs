// Interleaved rounds: A B C A B C …, in the next B C A B C A …, so that whatever the machine does it does to all of them.
import { setTimeout as sleep } from 'node:timers/promises';
import { allAnswered } from './load.mjs';

/**
 * So many times the rounds of the others, for one route alone. What is looked for is a few microseconds, and processes of one program
 * differ by as much: in some of them V8 leaves Node's own `process.nextTick` in a slow form for good.
 */
export const ROUNDS_MORE = 3;

/** After so many V8 has compiled what it will, of what it has seen by then. */
export const WARM_UP_REQUESTS = 20_000;

/** An answer of the introspection endpoint serves for 10 s. */
const RENEWS_AFTER_MS = 11_000;

/** Sent before a slice and not counted: a process that waited for the others' turns finds its caches cold. */
const UNCOUNTED_SHARE = 0.1;

/** In so many slices, in turn with the others', a round is sent: what the machine does for a moment, it does to all. */
const SLICES = 3;

/**
 * `contenders`: `{ name, start, requests }`; `start()` gives `{ processes, load }`, `load(requests)` what `closedLoop` does, and
 * `requests` is how many are sent in a slice, where it isn't a part of the round like the others'. Each
 * round has processes of its own, because two that run the same program differ by more than what is looked for: in where
 * their memory lies and in what V8 made of their code. A round is so many requests, so that a busy machine makes it longer
 * and not smaller. Gives, by name, the rounds: CPU microseconds per request summed over `processes`, and requests per second.
 */
export async function interleaved(contenders, { rounds, requests, warmUp = WARM_UP_REQUESTS, say, signal }) {
  const results = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    const started = [];
    for (const { name, start, requests: own } of rotated(contenders, round - 1)) {
      const { processes, load } = await start();
      const inSlice = own ?? Math.ceil(requests / SLICES);
      const warm = await warmed(async () => allAnswered(await load(Math.max(warmUp, inSlice))));
      started.push({ ...warm, name, processes, load, inSlice, slices: [] });
    }
    await warmedAgain(started, signal);
    for (let slice = 0; slice < SLICES; slice += 1) {
      for (const { processes, load, inSlice, slices } of started) {
        signal?.throwIfAborted();
        allAnswered(await load(Math.ceil(inSlice * UNCOUNTED_SHARE)));
        slices.push(await measured(processes, () => load(inSlice)));
      }
    }
    for (const { name, processes, slices } of started) {
      const result = mean(slices);
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

/** Runs `warmUp`; what it gives is for `warmedAgain`. */
export async function warmed(warmUp) {
  await warmUp();
  return { warmUp, warmMs: performance.now() };
}

/**
 * Warms up once more, when what was warm has asked for an answer anew: that is code which V8 had compiled before it ever ran, and compiles again, once in
 * the life of a process.
 */
export async function warmedAgain(all, signal) {
  for (const { warmUp, warmMs } of all) {
    await sleep(Math.max(0, warmMs + RENEWS_AFTER_MS - performance.now()), undefined, { signal });
    await warmUp();
  }
}

/** Another one begins in each round: whose turn is first waits longest, from its warm-up on. */
function rotated(contenders, by) {
  const first = by % contenders.length;
  return [...contenders.slice(first), ...contenders.slice(0, first)];
}

/** Of slices of one size. */
function mean(slices) {
  const of = (value) => sum(slices.map(value)) / slices.length;
  return {
    cpuMicros: of(({ cpuMicros }) => cpuMicros),
    systemMicros: of(({ systemMicros }) => systemMicros),
    each: slices[0].each.map((_, at) => of(({ each }) => each[at])),
    perSecond: slices.length / sum(slices.map(({ perSecond }) => 1 / perSecond)),
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

/** Round by round, one result held against another's of the same round. */
export function paired(ours, theirs, compare) {
  return ours.map((one, at) => compare(one, theirs[at]));
}

// Interleaved rounds: A B C A B C …, the first of each dropped, so that whatever the machine does it does to all of them.
import { allAnswered } from './load.mjs';

/** After so many V8 has compiled what it will. */
const WARM_UP_REQUESTS = 10_000;

/**
 * `contenders`: `{ name, processes, load }`; `load(requests)` gives what `closedLoop` does. A round is so many requests, so
 * that a busy machine makes it longer and not smaller. Gives, by name, the rounds: CPU microseconds per request summed
 * over `processes`, and requests per second.
 */
export async function interleaved(contenders, { rounds, requests, say, signal }) {
  const results = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, processes, load } of contenders) {
      signal?.throwIfAborted();
      const count = round === 0 ? Math.max(requests, WARM_UP_REQUESTS) : requests;
      const result = await measured(processes, () => load(count));
      if (round > 0) results[name].push(result);
      const { cpuMicros, systemMicros, perSecond } = result;
      say?.(
        `${round === 0 ? 'warm-up' : `round ${round}`}: ${name}: ${cpuMicros.toFixed(1)} µs CPU per request ` +
          `(kernel ${systemMicros.toFixed(1)}), ${perSecond.toFixed(0)} requests/s`,
      );
    }
  }
  return results;
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
  return { cpuMicros: sum(each), systemMicros, each, perSecond: requests / seconds, requests };
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** Round by round, one result held against another's of the same round. */
export function paired(ours, theirs, compare) {
  return ours.map((one, at) => compare(one, theirs[at]));
}

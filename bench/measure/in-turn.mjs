// Compares requests that one process serves, slice by slice in turn. Two processes of one program may differ by more
// microseconds than the compared code costs.
import { allAnswered, closedLoop } from './load.mjs';
import { measured } from './rounds.mjs';

const SLICES = 12;

/**
 * `requests` has a `{ url, ...request }` for each name. Returns the CPU time per request in microseconds, for each name
 * and slice.
 */
export async function inTurn(server, requests, { calls, warmUp, signal }) {
  const all = Object.entries(requests);
  const load = ({ url, ...request }, times) => closedLoop({ url, request, requests: times, signal });
  for (const [, request] of all) allAnswered(await load(request, warmUp));
  const micros = Object.fromEntries(all.map(([name]) => [name, []]));
  for (let slice = 0; slice < SLICES; slice += 1) {
    for (const [name, request] of slice % 2 === 0 ? all : all.toReversed()) {
      micros[name].push((await measured([server], () => load(request, calls))).cpuMicros);
    }
  }
  return micros;
}

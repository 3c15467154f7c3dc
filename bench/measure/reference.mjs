// The reference machine: marks in microseconds mean one on which a bare node:http handler takes so many.
import { closedLoop } from './load.mjs';
import { paired } from './rounds.mjs';

const REFERENCE_MICROS = 17.5;

/** In a slice. With few, most of what is measured would be caches that have gone cold. */
const REQUESTS = 15_000;

/** Said behind a figure. */
export const AT_REFERENCE = `at the speed of a machine whose bare node:http handler takes ${REFERENCE_MICROS} µs`;

/** The handler as a contender, to be measured in the same rounds. */
export const bareHandler = ({ start, signal }) => ({
  name: 'node:http handler',
  requests: REQUESTS,
  async start() {
    const server = await start('bare handler', ['bench/servers/bare-handler.mjs']);
    const request = { path: '/' };
    return {
      processes: [server],
      load: (requests) => closedLoop({ url: server.url, request, requests, signal }),
    };
  },
});

/** Microseconds of each round as they would be on the reference machine. */
export function atReference(micros, results) {
  return paired(
    micros,
    results['node:http handler'],
    (value, handler) => (value * REFERENCE_MICROS) / handler.cpuMicros,
  );
}

// All limits in microseconds assume that a bare node:http handler takes `REFERENCE_MICROS`.
import { closedLoop } from './load.mjs';
import { paired } from './rounds.mjs';

const REFERENCE_MICROS = 17.5;

/** With fewer requests in a slice, the result would mostly show cold caches. */
const REQUESTS = 15_000;

export const AT_REFERENCE = `at the speed of a machine whose bare node:http handler takes ${REFERENCE_MICROS} µs`;

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

export function atReference(micros, results) {
  return paired(
    micros,
    results['node:http handler'],
    (value, handler) => (value * REFERENCE_MICROS) / handler.cpuMicros,
  );
}

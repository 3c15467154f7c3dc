import { figure } from '../report.mjs';
import { serviceOf } from '../measure/chain.mjs';
import { passwordToken } from '../measure/keycloak.mjs';
import { closedLoop } from '../measure/load.mjs';
import { AT_REFERENCE, atReference, bareHandler } from '../measure/reference.mjs';
import { interleaved, paired, ROUNDS_MORE } from '../measure/rounds.mjs';

export const name = 'request-log';
export const title = 'CPU of the request log: a line for each request, on one hop';

const REQUESTS = 30_000;

export async function run(bench) {
  const { scale, say, signal } = bench;
  // The difference between the two figures is small, so the scenario needs more rounds.
  const rounds = bench.rounds * ROUNDS_MORE;
  const contenders = [bareHandler(bench), contender('off', bench), contender('on', bench, { REQUEST_LOG: 'true' })];
  const results = await interleaved(contenders, { rounds, requests: REQUESTS * scale, say, signal });
  const { on, off } = results;
  const perHop = paired(on, off, (a, b) => ({ cpuMicros: a.cpuMicros - b.cpuMicros })).map(
    ({ cpuMicros }) => cpuMicros,
  );
  return [
    figure('request log on against off: CPU per request', atReference(perHop, results), {
      unit: 'µs',
      must: { atMost: 5 },
      note: AT_REFERENCE,
    }),
    figure('request log on against off: CPU per request, on this machine', perHop, { unit: 'µs' }),
    figure(
      'request log on against off: CPU of the request',
      paired(on, off, (a, b) => a.cpuMicros / b.cpuMicros),
      { unit: '×' },
    ),
  ];
}

function contender(label, { keycloak, signal }, env = {}) {
  return {
    name: label,
    async start() {
      const service = await serviceOf('service-a', keycloak, { env, signal });
      const load = async (requests) => {
        const headers = { authorization: `Bearer ${await passwordToken(keycloak)}` };
        return closedLoop({ url: service.url, request: { path: '/api/orders/9876', headers }, requests, signal });
      };
      return { processes: [service], load };
    },
  };
}

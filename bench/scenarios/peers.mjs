import { keycloakEnvironment } from '../measure/environment.mjs';
import { passwordToken } from '../measure/keycloak.mjs';
import { allAnswered, closedLoop } from '../measure/load.mjs';
import { interleaved, paired } from '../measure/rounds.mjs';
import { figure } from '../report.mjs';

export const name = 'peers';
export const title = "nest-keycloak-connect's guard and a hand-written one, beside ours: CPU and calls";

/** The other two guards call Keycloak for every request, so they get fewer requests. */
const REQUESTS = 3000;
const COUNTED = 1000;
const WARM_UP_REQUESTS = 5000;
const REQUESTS_OF_OURS = 10_000;

const GUARDS = [
  { name: 'ours', program: ['bench/servers/one-route.mjs', 'guarded'], requests: REQUESTS_OF_OURS },
  { name: 'nest-keycloak-connect 1.10 (ONLINE)', program: ['bench/peers/nest-keycloak-connect.mjs'] },
  { name: 'hand-written axios guard', program: ['bench/peers/axios-guard.mjs'] },
];

export async function run({ keycloak, start, rounds, scale, say, signal }) {
  const startGuard = async ({ name: guard, program }) => {
    const server = await start(guard, program, { env: keycloakEnvironment(keycloak, 'service-a') });
    const load = async (requests) => closedLoop({ url: server.url, request: await route(keycloak), requests, signal });
    return { processes: [server], load };
  };
  const contenders = GUARDS.map((guard) => ({ ...guard, start: () => startGuard(guard) }));
  const results = await interleaved(contenders, {
    rounds,
    requests: REQUESTS * scale,
    warmUp: WARM_UP_REQUESTS,
    say,
    signal,
  });
  const figures = [];
  for (const guard of GUARDS) {
    const cpu = results[guard.name].map(({ cpuMicros }) => cpuMicros);
    figures.push(figure(`${guard.name}: CPU per request`, cpu, { unit: 'µs' }));
    if (guard.name !== 'ours') {
      const times = paired(results[guard.name], results.ours, (theirs, ours) => theirs.cpuMicros / ours.cpuMicros);
      figures.push(figure(`${guard.name}: CPU, of ours`, times, { unit: '×' }));
    }
    const calls = await callsPerThousand(await startGuard(guard));
    figures.push(figure(`${guard.name}: calls to Keycloak per 1,000 requests`, [calls]));
  }
  return figures;
}

/** A proxy can't count the calls, since keycloak-connect rejects a Keycloak whose address differs from the issuer. */
async function callsPerThousand({ processes: [server], load }) {
  allAnswered(await load(1));
  await server.ask('countBegin');
  allAnswered(await load(COUNTED));
  return ((await server.ask('countEnd')) / COUNTED) * 1000;
}

const route = async (keycloak) => ({
  path: '/route',
  headers: { authorization: `Bearer ${await passwordToken(keycloak)}` },
});

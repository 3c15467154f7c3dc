// The guard: a warm guarded route against the same route bare, both sent the same request with its token.
import { figure } from '../report.mjs';
import { passwordToken } from '../measure/keycloak.mjs';
import { closedLoop } from '../measure/load.mjs';
import { interleaved, paired } from '../measure/rounds.mjs';
import { keycloakEnvironment } from '../measure/environment.mjs';

export const name = 'guard-overhead';
export const title = 'a warm guarded route against the same route bare';

/** In a round. */
const REQUESTS = 30_000;

export async function run({ keycloak, start, rounds, scale, say, signal }) {
  const env = keycloakEnvironment(keycloak, 'service-a');
  const contenders = [];
  for (const kind of ['bare', 'guarded']) {
    const server = await start(`${kind} route`, ['bench/servers/one-route.mjs', kind], { env });
    contenders.push({
      name: kind,
      processes: [server],
      load: async (requests) => {
        const headers = { authorization: `Bearer ${await passwordToken(keycloak)}` };
        const request = { path: '/route', headers };
        await closedLoop({ url: server.url, request, requests: 1, connections: 1 });
        return closedLoop({ url: server.url, request, requests, signal });
      },
    });
  }
  const { bare, guarded } = await interleaved(contenders, { rounds, requests: REQUESTS * scale, say, signal });
  const ratio = (of) => paired(guarded, bare, of);
  return [
    figure(
      'guard: CPU added to the bare route',
      ratio((ours, theirs) => ours.cpuMicros - theirs.cpuMicros),
      {
        unit: 'µs',
        must: { atMost: 5 },
        aim: { atMost: 3 },
      },
    ),
    figure(
      'guarded route: throughput of a core, of the bare one',
      ratio((a, b) => (b.cpuMicros / a.cpuMicros) * 100),
      {
        unit: '%',
        must: { atLeast: 80 },
        aim: { atLeast: 88 },
      },
    ),
    figure(
      'bare route: CPU per request',
      bare.map(({ cpuMicros }) => cpuMicros),
      { unit: 'µs' },
    ),
    figure(
      'guarded route: requests/s of the bare one',
      ratio((a, b) => (a.perSecond / b.perSecond) * 100),
      { unit: '%' },
    ),
  ];
}

import { figure } from '../report.mjs';
import { keycloakEnvironment } from '../measure/environment.mjs';
import { clientToken } from '../measure/keycloak.mjs';
import { closedLoop } from '../measure/load.mjs';
import { interleaved, paired } from '../measure/rounds.mjs';

export const name = 'service-client';
export const title = 'a call by our client against one by HttpService';

const REQUESTS = 15_000;

export async function run({ keycloak, start, rounds, scale, say, signal }) {
  const upstream = await start('upstream', ['bench/servers/upstream.mjs'], { aside: true });
  const env = {
    ...keycloakEnvironment(keycloak, 'service-a'),
    UPSTREAM_URL: upstream.url,
    TOKEN: await clientToken(keycloak, 'service-a', 'orders.approve'),
  };
  const contenders = ['none', 'http-service', 'service-http', 'ours'].map((way) => ({
    name: way,
    async start() {
      const server = await start(`call by ${way}`, ['bench/servers/one-call.mjs', way], { env });
      const load = (requests) => closedLoop({ url: server.url, request: { path: '/call' }, requests, signal });
      return { processes: [server], load };
    },
  }));
  const {
    none,
    ours,
    'http-service': theirs,
    'service-http': byAxios,
  } = await interleaved(contenders, { rounds, requests: REQUESTS * scale, say, signal });
  const cpu = (results) => results.map(({ cpuMicros }) => cpuMicros);
  const net = (results) => paired(results, none, (a, b) => a.cpuMicros - b.cpuMicros);
  const netOfTheirs = net(theirs);
  return [
    figure(
      'service-client call: CPU, of HttpService',
      paired(ours, theirs, (a, b) => (a.cpuMicros / b.cpuMicros) * 100),
      {
        unit: '%',
        must: { atMost: 60 },
        aim: { atMost: 40 },
        note: 'the route included in both',
      },
    ),
    figure(
      'the same without the route',
      net(ours).map((micros, at) => (micros / netOfTheirs[at]) * 100),
      { unit: '%' },
    ),
    figure(
      'call by nestjs-keycloak-s2s/axios: CPU, of HttpService',
      paired(byAxios, theirs, (a, b) => (a.cpuMicros / b.cpuMicros) * 100),
      { unit: '%', note: 'the route included in both' },
    ),
    figure('call by nestjs-keycloak-s2s/axios: CPU with the route', cpu(byAxios), { unit: 'µs' }),
    figure('service-client call: CPU with the route', cpu(ours), { unit: 'µs' }),
    figure('HttpService call: CPU with the route', cpu(theirs), { unit: 'µs' }),
    figure('the route alone: CPU', cpu(none), { unit: 'µs' }),
  ];
}

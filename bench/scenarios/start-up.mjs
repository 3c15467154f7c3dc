import { serviceOf } from '../measure/chain.mjs';
import { keycloakEnvironment } from '../measure/environment.mjs';
import { clientToken } from '../measure/keycloak.mjs';
import { allAnswered, closedLoop } from '../measure/load.mjs';
import { paired } from '../measure/rounds.mjs';
import { figure } from '../report.mjs';

export const name = 'start-up';
export const title = 'CPU until ready, and resident memory, of Service B beside Nest on Fastify alone';

const REQUESTS = 20_000;
const BODY = '{"order_id":9876,"amount":1500}';
const MB = 1e6;

export async function run({ keycloak, start, rounds, scale, say, signal }) {
  const upstream = await start('upstream', ['bench/servers/upstream.mjs'], { aside: true });
  const env = { ...keycloakEnvironment(keycloak, 'service-b'), UPSTREAM_URL: upstream.url };
  const contenders = {
    'Nest on Fastify': () => start('bare Nest', ['bench/servers/one-step.mjs', 'nest'], { env }),
    'Service B': () => serviceOf('service-b', keycloak, { env: { SERVICE_C_URL: upstream.url }, signal }),
  };
  const results = Object.fromEntries(Object.keys(contenders).map((one) => [one, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const [one, started] of Object.entries(contenders)) {
      const server = await started();
      const { user, system } = await server.ask('cpu');
      const ready = await server.ask('memory');
      const headers = {
        authorization: `Bearer ${await clientToken(keycloak, 'service-a', 'orders.approve')}`,
        'content-type': 'application/json',
      };
      const request = { method: 'POST', path: '/api/process', headers, body: BODY };
      allAnswered(await closedLoop({ url: server.url, request, requests: REQUESTS * scale, signal }));
      const loaded = await server.ask('memory');
      const result = { cpuMs: (user + system) / 1000, readyMb: ready.rss / MB, loadedMb: loaded.rss / MB };
      results[one].push(result);
      say(
        `round ${round}: ${one}: ${result.cpuMs.toFixed(0)} ms until ready, ${result.readyMb.toFixed(0)} MB, ` +
          `${result.loadedMb.toFixed(0)} MB after ${REQUESTS * scale} requests`,
      );
      await server.stop();
    }
  }
  const [bare, ours] = Object.keys(contenders);
  return [
    ...of(results, 'cpuMs', 'CPU until it is ready', 'ms'),
    ...of(results, 'readyMb', 'resident memory when it is ready', 'MB'),
    ...of(results, 'loadedMb', `resident memory after ${REQUESTS * scale} requests`, 'MB'),
  ];

  function of(all, key, what, unit) {
    const ratio = paired(all[ours], all[bare], (a, b) => a[key] / b[key]);
    return [
      figure(`${ours}: ${what}, of ${bare}`, ratio, { unit: '×' }),
      ...[bare, ours].map((one) =>
        figure(
          `${one}: ${what}`,
          all[one].map((result) => result[key]),
          { unit },
        ),
      ),
    ];
  }
}

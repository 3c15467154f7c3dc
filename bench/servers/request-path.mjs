// Two routes use V8's coverage to report which library functions a request runs.
import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';
import { Controller, Get, Inject } from '@nestjs/common';
import { Caller, getServiceClientToken, KeycloakModule, RequirePermission } from 'nestjs-keycloak-s2s';
import { decorateClass, decorateMethod, injectParameter, keycloakOptions, listen } from './nest.mjs';

const { UPSTREAM_URL, TOKEN } = process.env;
const LIBRARY = new URL('../../libs/keycloak/dist/', import.meta.url).href;
const WARM_REQUESTS = 50;

class RoutesController {
  constructor(client) {
    this.client = client;
  }

  guarded() {
    return { answer: 42 };
  }

  onBehalfOf(token) {
    return this.client.onBehalfOf(token, 'orders.approve').post('/api/process', { order_id: 9876 });
  }
}
injectParameter(RoutesController, 0, Inject(getServiceClientToken('upstream')));
Caller()(RoutesController.prototype, 'onBehalfOf', 0);
for (const route of ['guarded', 'onBehalfOf']) {
  decorateMethod(RoutesController, route, Get(route), RequirePermission('orders.read'));
}
decorateClass(RoutesController, Controller());

const url = await listen({
  imports: [
    KeycloakModule.forRoot(keycloakOptions(process.env)),
    KeycloakModule.forFeature([{ name: 'upstream', baseUrl: UPSTREAM_URL, audience: 'service-b' }]),
  ],
  controllers: [RoutesController],
});

process.on('message', ({ id, ask }) => {
  if (ask === 'guarded' || ask === 'onBehalfOf') void functionsOf(ask).then((answer) => process.send({ id, answer }));
});

async function functionsOf(route) {
  for (let sent = 0; sent < WARM_REQUESTS; sent += 1) await send(route);
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await session.post('Profiler.takePreciseCoverage');
  await send(route);
  const { result } = await session.post('Profiler.takePreciseCoverage');
  session.disconnect();
  const files = result
    .filter((script) => script.url.startsWith(LIBRARY))
    .map((script) => [fileURLToPath(script.url).slice(fileURLToPath(LIBRARY).length), namesIn(script)])
    .filter(([, names]) => names.length > 0);
  return Object.fromEntries(files);
}

const namesIn = ({ functions }) =>
  functions
    .filter(({ ranges }) => ranges[0].count > 0)
    .map(({ functionName, ranges }) => functionName || `(at ${ranges[0].startOffset})`);

async function send(route) {
  const response = await fetch(`${url}/${route}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  if (response.status !== 200) throw new Error(`${route} answered ${response.status}: ${await response.text()}`);
  await response.text();
}

// The client is ServiceClient (`ours`), ServiceHttp (`service-http`) or HttpService (`http-service`). With `none`, the
// route makes no call to another service.
import { Agent } from 'node:http';
import { HttpModule, HttpService } from '@nestjs/axios';
import { Controller, Get, Inject } from '@nestjs/common';
import { getServiceClientToken, KeycloakModule, Public } from 'nestjs-keycloak-s2s';
import { getServiceHttpToken, ServiceHttpModule } from 'nestjs-keycloak-s2s/axios';
import { lastValueFrom } from 'rxjs';
import { decorateClass, decorateMethod, injectParameter, keycloakOptions, listen } from './nest.mjs';

const { UPSTREAM_URL, TOKEN } = process.env;
const ORDER = { order_id: 9876, amount: 1500 };

const WAYS = {
  ours: {
    imports: () => [
      KeycloakModule.forRoot(keycloakOptions(process.env)),
      KeycloakModule.forFeature([{ name: 'upstream', baseUrl: UPSTREAM_URL, audience: 'service-b' }]),
    ],
    client: getServiceClientToken('upstream'),
    call: (client) => client.asService('orders.approve').post('/api/process', ORDER),
  },
  'service-http': {
    imports: () => [
      KeycloakModule.forRoot(keycloakOptions(process.env)),
      ServiceHttpModule.register([{ name: 'upstream', baseURL: UPSTREAM_URL, audience: 'service-b' }]),
    ],
    client: getServiceHttpToken('upstream'),
    call: async (http) => (await lastValueFrom(http.asService('orders.approve').post('/api/process', ORDER))).data,
  },
  'http-service': {
    imports: () => [HttpModule.register({ httpAgent: new Agent({ keepAlive: true }) })],
    client: HttpService,
    async call(http) {
      const headers = { Authorization: `Bearer ${TOKEN}` };
      return (await lastValueFrom(http.post(`${UPSTREAM_URL}/api/process`, ORDER, { headers }))).data;
    },
  },
  none: { imports: () => [], client: undefined, call: async () => ({ result: 20, msg: 'Order 9876 was processed' }) },
};
const way = WAYS[process.argv[2]];

class CallController {
  constructor(client) {
    this.client = client;
  }

  call() {
    return way.call(this.client);
  }
}
if (way.client !== undefined) injectParameter(CallController, 0, Inject(way.client));
decorateMethod(CallController, 'call', Get());
// In a variant without a guard, @Public() would fail at startup.
decorateClass(CallController, ...(/^(ours|service-http)$/.test(process.argv[2]) ? [Public()] : []), Controller('call'));

await listen({ imports: way.imports(), controllers: [CallController] });

// Serves one tool by mcp-nest on Fastify, which calls another service, in three applications. One calls for the user of a
// verified token. The others do not use this library: one calls by `fetch`, and one by undici, which costs least. Two
// processes of one program may differ by more than the library costs, so all applications are in one process.
import { Controller, Inject } from '@nestjs/common';
import { McpController, McpHttpControllerFor, McpStrategy, StreamableHttpTransport, Tool } from '@rekog/mcp-nest';
import { Caller, getServiceClientToken, KeycloakModule, RequirePermission } from 'nestjs-keycloak-s2s';
import { McpEndpoint, mcpRequestAdapter } from 'nestjs-keycloak-s2s-mcp';
import { Pool } from 'undici';
import { decorateClass, decorateMethod, injectParameter, keycloakOptions, listen, serve } from './nest.mjs';

const { UPSTREAM_URL, FETCH_PORT, UNDICI_PORT } = process.env;
const ORDER = { order_id: 9876, amount: 1500 };
const READS_ORDERS = RequirePermission('orders.read');
const upstream = new Pool(UPSTREAM_URL);

const sent = () => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: 'Bearer fixed' },
  body: JSON.stringify(ORDER),
});

class FetchTools {
  async approve() {
    return (await fetch(`${UPSTREAM_URL}/api/process`, sent())).json();
  }
}

class UndiciTools {
  async approve() {
    return (await upstream.request({ path: '/api/process', ...sent() })).body.json();
  }
}

class GuardedTools {
  constructor(client) {
    this.client = client;
  }

  approve(caller) {
    return this.client.onBehalfOf(caller, 'orders.approve').post('/api/process', ORDER);
  }
}
injectParameter(GuardedTools, 0, Inject(getServiceClientToken('upstream')));
Caller()(GuardedTools.prototype, 'approve', 0);

await serveTools(serve, { Tools: FetchTools, port: FETCH_PORT });
await serveTools(serve, { Tools: UndiciTools, port: UNDICI_PORT });
await serveTools(listen, {
  Tools: GuardedTools,
  imports: [
    KeycloakModule.forRoot({ ...keycloakOptions(process.env), requestAdapters: [mcpRequestAdapter()] }),
    KeycloakModule.forFeature([{ name: 'upstream', baseUrl: UPSTREAM_URL, audience: 'service-b' }]),
  ],
  demands: [READS_ORDERS],
  marks: [McpEndpoint({ allowedOrigins: [] }), READS_ORDERS],
});

async function serveTools(start, { Tools, imports = [], demands = [], marks = [], port }) {
  decorateMethod(Tools, 'approve', Tool({ name: 'approve_order', description: 'Approves an order' }), ...demands);
  decorateClass(Tools, McpController());
  const transport = new StreamableHttpTransport({ mount: false });
  class Endpoint extends McpHttpControllerFor(transport) {}
  decorateClass(Endpoint, ...marks, Controller('mcp'));
  const prepare = async (app) => {
    const httpAdapter = app.getHttpAdapter();
    const strategy = new McpStrategy({ name: 'tools', version: '1', transports: [transport], httpAdapter });
    app.connectMicroservice({ strategy }, { inheritAppConfig: true });
    await app.startAllMicroservices();
  };
  await start({ imports, controllers: [Tools, Endpoint] }, prepare, port);
}

// Serves one tool by mcp-nest on Fastify. The tool calls another service. With `guarded`, it calls for the user of
// a verified token. With `bare`, this library is not used.
import { Controller, Inject } from '@nestjs/common';
import { McpController, McpHttpControllerFor, McpStrategy, StreamableHttpTransport, Tool } from '@rekog/mcp-nest';
import { Caller, getServiceClientToken, KeycloakModule, RequirePermission } from 'nestjs-keycloak-s2s';
import { McpEndpoint, mcpRequestAdapter } from 'nestjs-keycloak-s2s-mcp';
import { Pool } from 'undici';
import { decorateClass, decorateMethod, injectParameter, keycloakOptions, listen } from './nest.mjs';

const isGuarded = process.argv[2] === 'guarded';
const { UPSTREAM_URL } = process.env;
const ORDER = { order_id: 9876, amount: 1500 };
const demands = isGuarded ? [RequirePermission('orders.read')] : [];
const upstream = new Pool(UPSTREAM_URL);

class BareTools {
  async approve() {
    const headers = { 'content-type': 'application/json', authorization: 'Bearer fixed' };
    const sent = { method: 'POST', path: '/api/process', headers, body: JSON.stringify(ORDER) };
    return (await upstream.request(sent)).body.json();
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

const Tools = isGuarded ? GuardedTools : BareTools;
decorateMethod(Tools, 'approve', Tool({ name: 'approve_order', description: 'Approves an order' }), ...demands);
decorateClass(Tools, McpController());

const transport = new StreamableHttpTransport({ mount: false });
class Endpoint extends McpHttpControllerFor(transport) {}
const marks = isGuarded ? [McpEndpoint({ allowedOrigins: [] }), ...demands] : [];
decorateClass(Endpoint, ...marks, Controller('mcp'));

const imports = isGuarded
  ? [
      KeycloakModule.forRoot({ ...keycloakOptions(process.env), requestAdapters: [mcpRequestAdapter()] }),
      KeycloakModule.forFeature([{ name: 'upstream', baseUrl: UPSTREAM_URL, audience: 'service-b' }]),
    ]
  : [];

await listen({ imports, controllers: [Tools, Endpoint] }, async (app) => {
  const httpAdapter = app.getHttpAdapter();
  const strategy = new McpStrategy({ name: 'tools', version: '1', transports: [transport], httpAdapter });
  app.connectMicroservice({ strategy }, { inheritAppConfig: true });
  await app.startAllMicroservices();
});

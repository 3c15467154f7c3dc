// Starts a built service, but without the guard, the tokens and the token exchange.
import 'reflect-metadata';
import { Global } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { HttpAdapterHost } from '@nestjs/core';
import {
  AccessTokenVerifier,
  AuthorizationServerHealth,
  getServiceClientToken,
  KeycloakGuard,
  KeycloakModule,
  KeycloakStatus,
  KeycloakExceptionFilter,
  RevocationList,
} from 'nestjs-keycloak-s2s';
import { AuthorizationServerFetch, ClientAuthenticator } from 'nestjs-keycloak-s2s/client-authentication';
import { getServiceHttpToken, ServiceHttpModule } from 'nestjs-keycloak-s2s/axios';
import { BackchannelLogoutModule } from 'nestjs-keycloak-s2s/signals';
import { createService } from 'service-defaults';
import { JsonExchange } from '../../libs/keycloak/dist/client/json-exchange.js';
import { ServiceTransport } from '../../libs/keycloak/dist/client/service-transport.js';
import { resolveServiceOptions } from '../../libs/keycloak/dist/options/service.options.js';
import { moduleOf } from './nest.mjs';

const SERVICES = {
  'service-a': { settings: 'serviceAConfig', module: 'ServiceAModule', calls: ['service-b'] },
  'service-b': { settings: 'serviceBConfig', module: 'ServiceBModule', calls: ['service-c'] },
  'service-c': { settings: 'serviceCConfig', module: 'ServiceCModule', calls: [] },
};
const ROUTE_ARGUMENTS = '__routeArguments__';

const name = process.argv[2];
const service = SERVICES[name];
const dist = (file) => import(`../../apps/${name}/dist/${file}.js`);
const readSettings = (await dist('config'))[service.settings];
const Original = (await dist(`${name}.module`))[service.module];
const settings = readSettings();

class OpenClient {
  constructor(called, baseUrl) {
    const { issuer } = settings.keycloak;
    const module = { allowInsecureRequests: true, issuers: [{ issuer }] };
    const options = resolveServiceOptions(called, { baseUrl, audience: called }, module);
    this.transport = new ServiceTransport({ name: called, ...options });
  }

  asService() {
    return this;
  }

  onBehalfOf() {
    return this;
  }

  async post(path, body) {
    const exchange = new JsonExchange({ method: 'POST', body: JSON.stringify(body) });
    const answer = await this.transport.send(exchange, this.transport.paths.below(path));
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`);
    return answer.body;
  }
}

const stand = [
  {
    provide: KeycloakExceptionFilter,
    inject: [HttpAdapterHost],
    useFactory: (host) => new KeycloakExceptionFilter({ realm: name, exposeRefusalReasons: true }, host),
  },
  { provide: AccessTokenVerifier, useValue: {} },
  { provide: RevocationList, useValue: {} },
  { provide: AuthorizationServerFetch, useValue: { apart: () => ({}) } },
  { provide: ClientAuthenticator, useValue: {} },
  // The access decorators require a guard at startup.
  { provide: KeycloakGuard, useValue: {} },
  {
    provide: AuthorizationServerHealth,
    useValue: { check: async () => ({ reachable: true }), ready: async () => ({ reachable: true }) },
  },
  { provide: KeycloakStatus, useValue: { read: () => ({ revocationChannel: { state: 'none' } }) } },
  ...service.calls.map((called) => ({
    provide: getServiceClientToken(called),
    useValue: new OpenClient(called, settings.urls[called]),
  })),
  ...service.calls.map((called) => ({ provide: getServiceHttpToken(called), useValue: {} })),
];
const NoKeycloakModule = moduleOf({ providers: stand, exports: stand.map(({ provide }) => provide) }, Global());

const metadata = (key) => Reflect.getMetadata(key, Original) ?? [];
const ours = (imported) =>
  [KeycloakModule, ServiceHttpModule, BackchannelLogoutModule].includes(imported.module) ||
  imported.module?.name === 'ServiceClients';
const imports = (await Promise.all(metadata('imports'))).filter((imported) => !ours(imported));
for (const imported of imports) controllersOf(imported).forEach(withoutAccessCheck);
const TwinModule = moduleOf({
  imports: [...imports, NoKeycloakModule],
  controllers: metadata('controllers').map(withoutTokenParameters).map(withoutAccessCheck),
  providers: metadata('providers'),
});

const app = await createService(TwinModule, { ...settings, openApi: undefined, telemetry: undefined });
app.enableShutdownHooks(['SIGTERM'], { useProcessExit: true });
await app.listen(settings.port, settings.host);

/** Removes the `@Caller()` parameters, which throw if no guard has verified a token. */
function withoutTokenParameters(controller) {
  for (const method of Object.getOwnPropertyNames(controller.prototype)) {
    const parameters = Reflect.getMetadata(ROUTE_ARGUMENTS, controller, method);
    if (parameters === undefined) continue;
    const kept = Object.entries(parameters).filter(([, { factory }]) => factory === undefined);
    Reflect.defineMetadata(ROUTE_ARGUMENTS, Object.fromEntries(kept), controller, method);
  }
  return controller;
}

function controllersOf(imported) {
  const stated = Reflect.getMetadata('controllers', imported.module ?? imported) ?? [];
  return [...stated, ...(imported.controllers ?? [])];
}

function withoutAccessCheck(controller) {
  Reflect.defineMetadata(GUARDS_METADATA, [], controller);
  return controller;
}

import type { RequestListener, ServerResponse } from 'node:http';
import type { DynamicModule, Type } from '@nestjs/common';
import { HttpAdapterHost, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { KeycloakExceptionFilter } from 'nestjs-keycloak-s2s';
import { BodyValidation } from './body-validation.js';
import {
  answerUnreadableRequests,
  CONNECTION_LIMITS,
  limitedServer,
  type ConnectionLimits,
} from './connection-limits.js';
import { Connections } from './connections.js';
import { giveEngineHints } from './engine-hints.js';
import { ErrorFilter } from './error.filter.js';
import { refuseUnknownHosts } from './known-hosts.js';
import { OpenApiDocument } from './openapi/openapi-document.js';
import { ClientKeysModule } from './client-keys.module.js';
import { OpenApiModule } from './openapi/openapi.module.js';
import { logRequests } from './request-log.js';
import { securityHeaders } from './security-headers.js';
import { ServiceLogger } from './service-logger.js';
import type { ServiceSettings } from './service-settings.js';
import { connectionsOf, drainOnClose } from './shutdown.js';
import type { Telemetry } from './telemetry/start-telemetry.js';

const BODY_LIMIT_BYTES = 100 * 1024;

const HEADERS = securityHeaders();

interface Reply {
  readonly raw: ServerResponse;
  headers(values: Readonly<Record<string, string>>): unknown;
}

/** The adapter ignores `X-Forwarded-*` headers, and its answers never echo an unreadable request. */
export function serviceAdapter(limits: ConnectionLimits = CONNECTION_LIMITS): FastifyAdapter {
  const connections = new Connections(limits.maxPipelined);
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: false,
    serverFactory: (handler: RequestListener) => limitedServer(limits, connections, handler),
    clientErrorHandler: answerUnreadableRequests(connections),
    // By default, Fastify answers 503 to requests that arrive while the server closes.
    return503OnClosing: false,
    // Nest's filters never see a request that Fastify refuses before routing.
    frameworkErrors: ({ statusCode = 400 }: { statusCode?: number }, _request: unknown, { raw }: Reply) => {
      connections.endWith(raw);
      raw.writeHead(statusCode, { ...HEADERS, 'content-type': 'application/json; charset=utf-8', connection: 'close' });
      raw.end(JSON.stringify({ error: 'Invalid URL', code: 'invalid_url' }));
    },
  });
  drainOnClose(adapter, connections, limits);
  return adapter;
}

/** The module must import `KeycloakModule.forRoot`, and `adapter` must come from `serviceAdapter()`. */
export async function createService(
  module: Type | DynamicModule,
  {
    name,
    version,
    logFormat,
    requestLog = false,
    otherIssuers = [],
    openApi,
    privateKey,
    demo,
    telemetry,
    logger = new ServiceLogger(logFormat, name, version),
  }: Pick<ServiceSettings<string>, 'logFormat' | 'demo'> &
    Partial<
      Pick<ServiceSettings<string>, 'name' | 'version' | 'requestLog' | 'otherIssuers' | 'openApi' | 'privateKey'>
    > & {
      readonly logger?: ServiceLogger;
      readonly telemetry?: Telemetry | undefined;
    },
  adapter: FastifyAdapter = serviceAdapter(),
): Promise<NestFastifyApplication> {
  giveEngineHints();
  // The telemetry comes first, to measure the whole time of a request.
  telemetry?.observe(adapter);
  // The request log is added before the check of the host, so that refused requests are logged too.
  if (requestLog !== false) {
    logRequests(adapter, connectionsOf(adapter), logger, requestLog, otherIssuers.length > 0);
  }
  // The check of the host is added before the hooks that must not run for a refused request.
  if (demo !== undefined) refuseUnknownHosts(adapter, demo.hosts);
  const root = withImports(module, [
    ...(privateKey === undefined ? [] : [ClientKeysModule.register(privateKey)]),
    ...(openApi === undefined ? [] : [OpenApiModule.register(openApi)]),
    ...(telemetry === undefined ? [] : [telemetry.module]),
  ]);
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger,
    abortOnError: false,
  });
  if (openApi !== undefined) app.get(OpenApiDocument).describe(app, { name, version });
  return equipService(app);
}

/** Adds the further imports last, since Nest runs guards in import order. */
function withImports(module: Type | DynamicModule, further: readonly DynamicModule[]): DynamicModule {
  const root: DynamicModule = 'module' in module ? module : { module };
  return { ...root, imports: [...(root.imports ?? []), ...further] };
}

export function equipService(app: NestFastifyApplication): NestFastifyApplication {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.removeContentTypeParser('text/plain');
  fastify.addHook('onRequest', (_request: unknown, reply: Reply, done: () => void) => {
    reply.headers(HEADERS);
    done();
  });
  app.useGlobalPipes(new BodyValidation());
  const errors = new ErrorFilter(app.get(KeycloakExceptionFilter), app.get(HttpAdapterHost));
  fastify.addHook('onClose', (_instance: unknown, done: () => void) => {
    errors.end();
    done();
  });
  app.useGlobalFilters(errors);
  return app;
}

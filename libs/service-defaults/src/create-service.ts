/** createService(): a Nest application with all that every service of the repository shares. */
import type { RequestListener, ServerResponse } from 'node:http';
import type { DynamicModule, Type } from '@nestjs/common';
import { HttpAdapterHost, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { RefusalFilter } from 'nestjs-keycloak-s2s';
import { BodyValidation } from './body-validation.js';
import {
  answerWhatIsUnreadable,
  CONNECTION_LIMITS,
  limitedServer,
  type ConnectionLimits,
} from './connection-limits.js';
import { Connections } from './connections.js';
import { ErrorFilter } from './error.filter.js';
import { refuseUnknownHosts } from './known-hosts.js';
import { securityHeaders } from './security-headers.js';
import { ServiceLogger } from './service-logger.js';
import type { ServiceSettings } from './service-settings.js';
import { drainOnClose } from './shutdown.js';

const BODY_LIMIT_BYTES = 100 * 1024;

const HEADERS = securityHeaders();

/** The part of Fastify's reply that is used here. */
interface Reply {
  readonly raw: ServerResponse;
  headers(values: Readonly<Record<string, string>>): unknown;
}

/** Fastify with limits of body, time and connections. It follows no `X-Forwarded-*` header, and echoes nothing that it can't read. */
export function serviceAdapter(limits: ConnectionLimits = CONNECTION_LIMITS): FastifyAdapter {
  const connections = new Connections(limits.maxPipelined);
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: false,
    serverFactory: (handler: RequestListener) => limitedServer(limits, connections, handler),
    clientErrorHandler: answerWhatIsUnreadable(connections),
    // What arrives before its connection is closed is served; Fastify would answer 503, by itself.
    return503OnClosing: false,
    // What Fastify refuses before any route is found never comes to the filters.
    frameworkErrors: ({ statusCode = 400 }: { statusCode?: number }, _request: unknown, { raw }: Reply) => {
      raw.writeHead(statusCode, { ...HEADERS, 'content-type': 'application/json; charset=utf-8', connection: 'close' });
      raw.end(JSON.stringify({ error: 'Invalid URL', code: 'invalid_url' }));
    },
  });
  countAnswers(adapter, connections);
  drainOnClose(adapter, connections, limits);
  return adapter;
}

function countAnswers(adapter: FastifyAdapter, connections: Connections): void {
  const fastify = adapter.getInstance();
  fastify.addHook('onRequest', (_request: unknown, { raw }: Reply, done: () => void) => {
    connections.began(raw);
    done();
  });
  fastify.addHook('onResponse', (_request: unknown, { raw }: Reply, done: () => void) => {
    connections.answered(raw);
    done();
  });
}

/** Ready for `listen()`. The module must import `KeycloakModule.forRoot`. Faulty settings throw. */
export async function createService(
  module: Type | DynamicModule,
  { logFormat, demo }: Pick<ServiceSettings<string>, 'logFormat' | 'demo'>,
  adapter: FastifyAdapter = serviceAdapter(),
): Promise<NestFastifyApplication> {
  // Before any other hook, so that nothing begins for such a request.
  if (demo !== undefined) refuseUnknownHosts(adapter, demo.hosts);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: new ServiceLogger(logFormat),
    abortOnError: false,
  });
  return equipService(app);
}

/** What makes an application a service: `createService` without the creation, for specs that build it in their own way. */
export function equipService(app: NestFastifyApplication): NestFastifyApplication {
  const fastify = app.getHttpAdapter().getInstance();
  // Fastify reads plain text unasked; a service takes JSON (and forms, of which the guard must see a token field).
  fastify.removeContentTypeParser('text/plain');
  fastify.addHook('onRequest', (_request: unknown, reply: Reply, done: () => void) => {
    reply.headers(HEADERS);
    done();
  });
  app.useGlobalPipes(new BodyValidation());
  app.useGlobalFilters(new ErrorFilter(app.get(RefusalFilter), app.get(HttpAdapterHost)));
  return app;
}

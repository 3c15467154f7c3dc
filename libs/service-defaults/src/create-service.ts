/** createService(): a Nest application with all that every service of the repository shares. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Type } from '@nestjs/common';
import { HttpAdapterHost, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import helmet from 'helmet';
import { RefusalFilter } from 'nestjs-keycloak-s2s';
import { BodyValidation } from './body-validation.js';
import { ErrorFilter } from './error.filter.js';
import { closeGracefully } from './graceful-close.js';
import { ServiceLogger } from './service-logger.js';
import type { ServiceSettings } from './service-settings.js';

const BODY_LIMIT_BYTES = 100 * 1024;

/** The part of Fastify's request that helmet wants. */
interface Request {
  readonly raw: IncomingMessage;
}

/** The part of Fastify's reply that there is before a route is found. */
interface Reply {
  readonly raw: ServerResponse;
}

/** Fastify with the body limit. It follows no `X-Forwarded-*` header, and echoes no URL that it can't read. */
export function serviceAdapter(): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: false,
    // What Fastify refuses before any route is found never comes to the filters.
    frameworkErrors: ({ statusCode = 400 }: { statusCode?: number }, _request: unknown, { raw }: Reply) => {
      raw.writeHead(statusCode, { 'Content-Type': 'application/json; charset=utf-8' });
      raw.end(JSON.stringify({ error: 'Invalid URL', code: 'invalid_url' }));
    },
  });
}

/** Ready for `listen()`. The module must import `KeycloakModule.forRoot`. Faulty settings throw. */
export async function createService(
  module: Type,
  { logFormat }: Pick<ServiceSettings<string>, 'logFormat'>,
  adapter: FastifyAdapter = serviceAdapter(),
): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: new ServiceLogger(logFormat),
    abortOnError: false,
  });
  // Made once: Fastify's own plugin for it makes every header anew for every request.
  const securityHeaders = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
    // For browsers that are gone; every header costs the service that sends it and the one that reads it.
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  const fastify = adapter.getInstance();
  // Fastify reads plain text unasked; a service takes JSON (and forms, of which the guard must see a token field).
  fastify.removeContentTypeParser('text/plain');
  fastify.addHook('onRequest', ({ raw: request }: Request, { raw: response }: Reply, done: () => void) => {
    response.setHeader('Cache-Control', 'no-store');
    securityHeaders(request, response, done);
  });
  closeGracefully(app);
  app.useGlobalPipes(new BodyValidation());
  app.useGlobalFilters(new ErrorFilter(app.get(RefusalFilter), app.get(HttpAdapterHost)));
  return app;
}

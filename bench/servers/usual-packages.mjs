// Adds a log by nestjs-pino and metrics by prom-client, like many applications of Nest.
import { LoggerModule } from 'nestjs-pino';
import { collectDefaultMetrics, Histogram, register } from 'prom-client';

// With FastifyAdapter of Nest 12, the middleware does not run for the default routes of nestjs-pino.
export const imports = [LoggerModule.forRoot({ forRoutes: ['*splat'] })];

export function measure(app) {
  collectDefaultMetrics();
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Duration of requests',
    labelNames: ['method', 'route', 'status'],
  });
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request;
    durations.observe({ method, route: routeOptions.url, status: reply.statusCode }, reply.elapsedTime / 1000);
    done();
  });
  fastify.get('/metrics', async (_request, reply) => reply.type(register.contentType).send(await register.metrics()));
}

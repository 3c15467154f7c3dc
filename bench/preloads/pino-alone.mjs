// Logs one line per request by pino alone: the floor of the request log.
import { subscribe } from 'node:diagnostics_channel';
import { pino } from 'pino';

// Batches the lines like the services do, since a write per line would raise the floor.
const output = pino.destination({ sync: false, minLength: 8192, periodicFlush: 20 });
const logger = pino({ base: { service: 'floor' } }, output);
const STARTED_AT = Symbol('started at');

subscribe('http.server.request.start', ({ request }) => {
  request[STARTED_AT] = performance.now();
});
subscribe('http.server.response.finish', ({ request, response }) => {
  const durationMs = Math.round((performance.now() - request[STARTED_AT]) * 10) / 10;
  const line = { method: request.method, url: request.url, status: response.statusCode, durationMs };
  logger.info(line, 'Request answered');
});

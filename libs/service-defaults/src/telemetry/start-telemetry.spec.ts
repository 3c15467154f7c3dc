import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, HttpException, Module, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Public } from 'nestjs-keycloak-s2s';
import request from 'supertest';
import { createService } from '../create-service.js';
import { unreachedKeycloak } from '../../spec-support/unreached-keycloak.js';
import { startTelemetry } from './start-telemetry.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;
const VARIABLES = { OTEL_BSP_SCHEDULE_DELAY: '10', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=spec' };

@Controller()
@Public()
class TestController {
  @Post('traced/:id')
  traced(): object {
    return { ...trace.getSpanContext(context.active()) };
  }

  @Get('broken')
  broken(): never {
    throw new Error('a bug');
  }

  @Get('away')
  away(): never {
    throw new HttpException({ error: 'Sessions are not available', code: 'sessions_unavailable' }, 503);
  }

  @Get('health/live')
  live(): object {
    return { ...trace.getSpanContext(context.active()) };
  }
}

@Module({ imports: [unreachedKeycloak()], controllers: [TestController] })
class TestModule {}

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
}

let collector: Server;
let answer = 200;
const received: string[] = [];
const warned: unknown[] = [];
let app: NestFastifyApplication;
let managementPort: number;

beforeAll(async () => {
  collector = createServer((incoming, response) => {
    void (async () => {
      received.push(await text(incoming));
      response.writeHead(answer, { 'content-type': 'application/json' }).end('{}');
    })();
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const { port } = collector.address() as AddressInfo;
  Object.assign(process.env, VARIABLES, { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
  const logger = {
    log: (message: unknown) => {
      managementPort = Number(/port (\d+)/.exec(String(message))?.[1]);
    },
    warn: (message: unknown) => void warned.push(message),
  };
  const settings = {
    name: 'service-t',
    version: '1.2.3',
    telemetry: { management: { host: '127.0.0.1', port: 0 }, traces: 'http/json' as const },
  };
  const telemetry = await startTelemetry(settings, logger);
  app = await createService(TestModule, { logFormat: 'json', telemetry });
  app.useLogger(false);
  await app.listen(0, '127.0.0.1');
});

afterAll(async () => {
  await app.close();
  for (const name of [...Object.keys(VARIABLES), 'OTEL_EXPORTER_OTLP_ENDPOINT']) delete process.env[name];
  for (const api of [context, propagation, metrics, trace]) api.disable();
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
});

const http = (): ReturnType<typeof request> => request(app.getHttpServer());
const scrape = async (): Promise<string> => (await fetch(`http://127.0.0.1:${managementPort}/metrics`)).text();
const spans = (): readonly Span[] =>
  received.flatMap((body) =>
    (JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }).resourceSpans.flatMap(
      ({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans),
    ),
  );
async function spanNamed(name: string): Promise<Span> {
  for (;;) {
    const found = spans().find((span) => span.name === name);
    if (found !== undefined) return found;
    await sleep(5);
  }
}
const attributesOf = ({ attributes }: Span): object =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

describe('the telemetry of a service', () => {
  it("runs a handler in a child span of the caller's span, even if the request has a body", async () => {
    const { body } = await http()
      .post('/traced/order-of-alice?code=secret')
      .set('traceparent', TRACEPARENT)
      .send({ some: 'body' })
      .expect(201);
    expect(body).toMatchObject({ traceId: TRACE, traceFlags: 1 });
    const span = await spanNamed('POST /traced/:id');
    expect(span).toMatchObject({ traceId: TRACE, parentSpanId: '00f067aa0ba902b7' });
    expect(attributesOf(span)).toEqual({
      'http.request.method': 'POST',
      'url.scheme': 'http',
      'http.route': '/traced/:id',
      'http.response.status_code': 201,
    });
  });

  it('marks spans as errors for failures of the service, but not for refusals', async () => {
    await http().get('/broken').expect(500);
    await http().get('/nowhere/order-of-alice').expect(404);
    const broken = await spanNamed('GET /broken');
    expect([broken.status.code, attributesOf(broken)]).toMatchObject([2, { 'error.type': '500' }]);
    const missing = await spanNamed('GET');
    expect(missing.status.code ?? 0).toBe(0);
    expect(attributesOf(missing)).toMatchObject({ 'http.response.status_code': 404 });
  });

  it('reports the error code if the service deliberately answers 503 (OP-03)', async () => {
    await http().get('/away').expect(503);
    expect(attributesOf(await spanNamed('GET /away'))).toMatchObject({
      'http.response.status_code': 503,
      'error.type': 'sessions_unavailable',
    });
    expect(await scrape()).toMatch(/http_server_request_duration_count\{.*error_type="sessions_unavailable".*\} 1/);
  });

  it('measures the requests of each route, including probes', async () => {
    const { body } = await http().get('/health/live').expect(200);
    expect(body).toEqual({});
    const found = await scrape();
    expect(found).toMatch(
      /^http_server_request_duration_count\{http_request_method="GET",url_scheme="http",http_route="\/health\/live",http_response_status_code="200",/m,
    );
    expect(found).toContain('le="0.075"');
    const [target = ''] = /^target_info\{.*$/m.exec(found) ?? [];
    for (const said of ['service_name="service-t"', 'service_version="1.2.3"', 'environment_name="spec"'])
      expect(target).toContain(said);
    expect(received.join('') + found).not.toMatch(/secret|order-of-alice/);
    expect(received.join('')).not.toContain('/health');
  });

  it('serves only metrics on the management port, and closes connections that do not use HTTP', async () => {
    const at = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${managementPort}${path}`, init);
    expect((await at('/metrics?name=x')).status).toBe(200);
    for (const path of ['/', '/health/live', '/metricsx', '//metrics']) expect((await at(path)).status).toBe(404);
    expect((await at('/metrics', { method: 'POST', body: 'x'.repeat(10_000) })).status).toBe(404);
    const socket = connect(managementPort, '127.0.0.1').resume();
    socket.write('junk\r\n\r\n');
    await once(socket, 'close');
  });

  it("logs the status of a collector's refusal at most once a minute", async () => {
    answer = 400;
    const refused = async (): Promise<void> => {
      const before = received.length;
      await http().get('/broken').expect(500);
      while (received.length === before) await sleep(5);
    };
    await refused();
    while (warned.length === 0) await sleep(5);
    await refused();
    await refused();
    expect(warned).toEqual([{ message: 'Telemetry was not exported', reason: 400 }]);
  });

  it('stops when the application closes', async () => {
    answer = 200;
    await app.close();
    await expect(scrape()).rejects.toThrow('fetch failed');
  });
});

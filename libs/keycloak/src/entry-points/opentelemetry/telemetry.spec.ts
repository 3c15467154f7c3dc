import { hasSubscribers } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { Controller, Get, Inject, Module, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  context,
  createTraceState,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { DataPointType } from '@opentelemetry/sdk-metrics';
import { SamplingDecision } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  Caller,
  getServiceClientToken,
  InjectServiceClient,
  KeycloakModule,
  RequirePermission,
  ServiceClient,
  TokenVerification,
  type VerifiedAccessToken,
} from '../../index.js';
import {
  INTROSPECTION_CHANNEL,
  JWT_VERIFICATION_CHANNEL,
  REFUSAL_REASON_CHANNEL,
  SERVICE_CALL_CHANNEL,
  TOKEN_CHANNEL,
} from '../diagnostics/index.js';
import { jwtVerification } from '../jwt/index.js';
import {
  KeycloakTestingModule,
  signIn,
  testAccessToken,
  testAuthorizationServer,
  testServices,
} from '../../testing/index.js';
import { pointsOf, RecordedTelemetry } from '../../../spec-support/recorded-telemetry.js';
import { systemClock } from '../../caching/clock.js';
import type { ComposedKeycloak } from '../../module/compose-keycloak.js';
import { KEYCLOAK } from '../../module/keycloak.module-definition.js';
import { KeycloakTelemetryModule } from './index.js';
import { KeycloakTelemetry } from './keycloak-telemetry.js';

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };
const CHANNELS = [
  INTROSPECTION_CHANNEL,
  JWT_VERIFICATION_CHANNEL,
  TOKEN_CHANNEL,
  SERVICE_CALL_CHANNEL,
  REFUSAL_REASON_CHANNEL,
];
const PATH = '/stock/4711-is-nobody-elses-business';
const SUBJECT = 'alice-is-nobody-elses-business';

class StockClient {
  constructor(@InjectServiceClient('inventory') private readonly inventory: ServiceClient) {}

  left(caller: VerifiedAccessToken): Promise<unknown> {
    return this.inventory.onBehalfOf(caller, 'stock.read').get(PATH);
  }

  async giveUp(): Promise<unknown> {
    const controller = new AbortController();
    const call = this.inventory.asService('stock.adjust').post(PATH, {}, { signal: controller.signal });
    controller.abort();
    return call;
  }
}

@Controller()
class OrdersController {
  constructor(@Inject(StockClient) private readonly stock: StockClient) {}

  @Get('left')
  @RequirePermission('orders.read')
  left(@Caller() caller: VerifiedAccessToken): Promise<unknown> {
    return this.stock.left(caller);
  }

  @Get('signed')
  @RequirePermission('orders.read')
  @TokenVerification('jwt')
  signed(): string {
    return 'ok';
  }

  @Get('given-up')
  @RequirePermission('orders.read')
  async givenUp(): Promise<unknown> {
    return this.stock.giveUp().catch(() => 'given up');
  }
}

const client = { clientId: 'orders', clientSecret: 'a secret' };
const settings = {
  issuers: [
    { issuer: 'https://sso.example.com/realms/shop', ...client },
    { issuer: 'https://sso.example.com/realms/partner', ...client, acceptedScopes: [] },
  ],
  jwt: jwtVerification(),
};
const inventory = { name: 'inventory', baseUrl: 'https://inventory.internal:8443', audience: 'inventory-api' };

// #region module
@Module({
  imports: [
    KeycloakModule.forRoot(settings),
    KeycloakModule.forFeature([inventory]),
    // KeycloakTelemetryModule needs no settings. Import it once, in the root module.
    KeycloakTelemetryModule,
  ],
  controllers: [OrdersController],
  providers: [StockClient],
})
class AppModule {}
// #endregion module

async function started(): Promise<INestApplication> {
  const builder = Test.createTestingModule({ imports: [AppModule] }).setLogger(SILENT);
  const app = await (await KeycloakTestingModule.override(builder).compile()).createNestApplication().init();
  const { signals } = issuerOf(app);
  signals.follow();
  receiveAll(app);
  return app;
}

const issuerOf = (app: INestApplication) => app.get<ComposedKeycloak>(KEYCLOAK, { strict: false }).issuers[0];

/** Without this call, the service would introspect a token again at an unpredictable time. */
function receiveAll(app: INestApplication): void {
  const untilMs = systemClock.monotonicMs();
  issuerOf(app).signals.prove({ sinceMs: untilMs - 3_600_000, untilMs });
}

const clientOf = (app: INestApplication): ServiceClient =>
  app.get<ServiceClient>(getServiceClientToken('inventory'), { strict: false });

describe('an application with KeycloakTelemetryModule', () => {
  let telemetry: RecordedTelemetry;
  let app: INestApplication;
  const tokens: string[] = [];

  const as = (subject: string, claims = {}): string => {
    const token = signIn(app, testAccessToken({ subject, permissions: ['orders.read'], claims }));
    tokens.push(token);
    return token;
  };
  const ask = (path: string, token: string): request.Test =>
    request(app.getHttpServer()).get(path).auth(token, { type: 'bearer' });

  beforeAll(async () => {
    telemetry = RecordedTelemetry.start();
    app = await started();
    const stock = testServices(app).on('inventory', 'GET', PATH);
    stock.reply(200, { left: 3 }).reply(404, {}).fail('refused').reply(200, {});
    testAuthorizationServer(app).fail('refused');
    await ask('/signed', as('erin')).expect(503);
    testAuthorizationServer(app).recover();
    const frank = as('frank');
    await ask('/signed', frank).expect(200);
    await ask('/signed', frank).expect(200);
    const alice = as(SUBJECT);
    await ask('/left', alice).expect(200);
    await ask('/left', alice).expect(502);
    await ask('/left', alice).expect(503);
    const dave = as('dave', { act: { sub: 'clerk', client_id: 'helpdesk' } });
    await ask('/given-up', dave).expect(200, 'given up');
    await ask('/left', 'a.b.c').expect(401);
    await Promise.all([ask('/left', as('bob')).expect(200), request(app.getHttpServer()).get('/left').expect(401)]);
    testAuthorizationServer(app).fail('refused');
    await ask('/left', as('carol')).expect(503);
    await ask('/left', dave).expect(503);
  });

  afterAll(async () => {
    await app.close();
    await telemetry.stop();
  });

  const points = async (name: string) => pointsOf((await telemetry.metrics()).get(name));
  const spansNamed = (name: string) => telemetry.spans.filter((span) => span.name === name);

  it('counts cache hits and misses, and reports zero for outcomes that did not occur', async () => {
    const lookups = new Map(
      (await points('keycloak_s2s.cache.lookups')).map(([attributes, value]) => [
        Object.values(attributes as Record<string, string>).join(' '),
        value,
      ]),
    );
    expect(lookups).toEqual(
      new Map([
        ['introspections miss', 4],
        ['introspections hit', 3],
        ['introspections joined', 0],
        ['introspections shared', 0],
        ['introspections stale', 0],
        ['jwts miss', 2],
        ['jwts hit', 1],
        ['jwts joined', 0],
        ['tokens miss', 4],
        ['tokens hit', 2],
        ['tokens joined', 0],
        ['tokens shared', 0],
      ]),
    );
  });

  it('measures the duration of service calls by outcome', async () => {
    const get = { 'keycloak_s2s.service': 'inventory', 'http.request.method': 'GET' };
    const answered = { ...get, 'keycloak_s2s.outcome': 'answered' };
    expect(await points('keycloak_s2s.service_call.duration')).toEqual(
      expect.arrayContaining([
        [{ ...answered, 'http.response.status_code': 200 }, 2],
        [{ ...answered, 'http.response.status_code': 404, 'error.type': '404' }, 1],
        [
          {
            ...get,
            'keycloak_s2s.outcome': 'failed',
            'keycloak_s2s.code': 'service_unavailable',
            'error.type': 'ECONNREFUSED',
          },
          1,
        ],
        [{ ...get, 'http.request.method': 'POST', 'keycloak_s2s.outcome': 'given_up' }, 1],
      ]),
    );
  });

  it('measures the duration of signature verifications, including the wait for keys', async () => {
    const verified = { 'keycloak_s2s.outcome': 'verified' };
    expect(await points('keycloak_s2s.jwt_verification.duration')).toEqual([
      [{ ...verified, 'error.type': 'authorization_server_unavailable' }, 1],
      [{ ...verified, 'keycloak_s2s.valid': true }, 1],
    ]);
  });

  it('counts refusals by code and reason', async () => {
    const counted = await points('keycloak_s2s.refusals');
    const count = (code: string, reason: string, times = 1): unknown => [
      { 'keycloak_s2s.code': code, 'keycloak_s2s.reason': reason },
      times,
    ];
    expect(counted).toEqual(
      expect.arrayContaining([
        count('missing_token', 'no_credentials'),
        count('service_failed', 'answered_404'),
        count('service_unavailable', 'ECONNREFUSED'),
        count('authorization_server_unavailable', 'ECONNREFUSED', 3),
        count('invalid_token', 'token_malformed'),
      ]),
    );
    expect(counted).toHaveLength(5);
  });

  it('reports the state of circuits, queues, caches, denials and signals', async () => {
    const introspection = { 'keycloak_s2s.called': 'authorization_server', 'keycloak_s2s.calls': 'introspection' };
    expect(await points('keycloak_s2s.calls.running')).toContainEqual([introspection, 0]);
    expect(await points('keycloak_s2s.calls.queued')).toContainEqual([introspection, 0]);
    const circuit = { 'keycloak_s2s.called': 'service', 'keycloak_s2s.calls': 'inventory' };
    expect(await points('keycloak_s2s.circuit.state')).toEqual(
      expect.arrayContaining([
        [{ ...circuit, 'keycloak_s2s.state': 'closed' }, 1],
        [{ ...circuit, 'keycloak_s2s.state': 'half-open' }, 0],
        [{ ...circuit, 'keycloak_s2s.state': 'open' }, 0],
      ]),
    );
    const entries = await points('keycloak_s2s.cache.entries');
    expect(entries).toContainEqual([{ 'keycloak_s2s.cache': 'introspections' }, 3]);
    expect(entries).toContainEqual([{ 'keycloak_s2s.cache': 'jwts' }, 1]);
    expect(await points('keycloak_s2s.revocations')).toEqual([[{}, 0]]);
    expect(await points('keycloak_s2s.revocation_channel.state')).toContainEqual([{ 'keycloak_s2s.state': 'none' }, 1]);
    receiveAll(app);
    expect(await points('keycloak_s2s.signals.state')).toContainEqual([{ 'keycloak_s2s.state': 'healthy' }, 1]);
  });

  it('has a client span for each request to Keycloak, with its duration', () => {
    const introspections = spansNamed('keycloak introspection');
    expect(introspections.map(({ attributes }) => attributes['keycloak_s2s.active'])).toEqual([
      true,
      true,
      true,
      undefined,
    ]);
    expect(introspections.at(-1)).toMatchObject({
      kind: SpanKind.CLIENT,
      status: { code: SpanStatusCode.ERROR },
      attributes: {
        'http.request.method': 'POST',
        'server.address': 'sso.example.com',
        'server.port': 443,
        'error.type': 'authorization_server_unavailable',
      },
    });
    for (const { startTime, endTime } of introspections) {
      expect(Number(endTime[0]) + endTime[1] / 1e9).toBeGreaterThanOrEqual(Number(startTime[0]) + startTime[1] / 1e9);
    }
    expect(spansNamed('keycloak token').map(({ attributes }) => attributes['keycloak_s2s.grant'])).toEqual([
      'token_exchange',
      'client_credentials',
      'token_exchange',
      'token_exchange',
    ]);
  });

  it('has a span for each service call, with the token request as child', () => {
    const calls = spansNamed('GET inventory');
    expect(calls.map(({ attributes, status }) => [attributes['error.type'], status.code])).toEqual([
      [undefined, SpanStatusCode.UNSET],
      ['404', SpanStatusCode.ERROR],
      ['ECONNREFUSED', SpanStatusCode.ERROR],
      [undefined, SpanStatusCode.UNSET],
      ['ECONNREFUSED', SpanStatusCode.ERROR],
    ]);
    expect(calls.at(-1)?.attributes['keycloak_s2s.code']).toBe('authorization_server_unavailable');
    expect(calls[0]).toMatchObject({
      kind: SpanKind.CLIENT,
      attributes: { 'server.address': 'inventory.internal', 'server.port': 8443, 'http.response.status_code': 200 },
    });
    const acting = calls.flatMap(({ attributes }, at) => (attributes['keycloak_s2s.actor'] === undefined ? [] : [at]));
    expect(acting).toEqual([4]);
    expect(calls[4]?.attributes['keycloak_s2s.actor']).toBe('helpdesk');
    const [token] = spansNamed('keycloak token');
    expect(token?.parentSpanContext?.spanId).toBe(calls[0]?.spanContext().spanId);
    expect(spansNamed('POST inventory').map(({ status }) => status.code)).toEqual([SpanStatusCode.UNSET]);
  });

  it('exports no tokens, secrets, users or paths', async () => {
    const printed = await telemetry.printed();
    for (const token of tokens) expect(printed).not.toContain(token.split('.')[1]);
    expect(printed).not.toMatch(/nobody-elses-business|a secret|bob|clerk|carol|dave|erin|frank/);
    expect(printed).not.toMatch(/[0-9a-f]{64}/);
  });

  describe('docs/metrics.md', () => {
    const TEXT = readFileSync(new URL('../../../../../docs/metrics.md', import.meta.url), 'utf8');
    const table = (name: string): readonly (readonly string[])[] => {
      const [, rows = ''] = new RegExp(`^\\| ${name} .*\\n\\| -.*\\n((?:\\|.*\\n)+)`, 'm').exec(TEXT) ?? [];
      const lines = rows.trimEnd().split('\n');
      return lines.map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    };
    const inCode = (cell = ''): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
    const keysOf = (all: readonly object[]): readonly string[] =>
      [...new Set(all.flatMap((attributes) => Object.keys(attributes)))].toSorted();

    const KINDS = {
      [DataPointType.SUM]: 'counter',
      [DataPointType.HISTOGRAM]: 'histogram',
      [DataPointType.EXPONENTIAL_HISTOGRAM]: 'histogram',
      [DataPointType.GAUGE]: 'gauge',
    };

    it('lists exactly the metrics, each with its kind, unit and attributes', async () => {
      const emitted = [...(await telemetry.metrics()).values()].map((metric) => [
        metric.descriptor.name,
        KINDS[metric.dataPointType],
        metric.descriptor.unit,
        keysOf(pointsOf(metric).map(([attributes]) => attributes)),
      ]);
      const documented = table('metric').map(([name, kind, unit, attributes]) => [
        inCode(name)[0],
        kind,
        inCode(unit)[0],
        inCode(attributes).toSorted(),
      ]);
      expect(documented).toEqual(expect.arrayContaining(emitted));
      expect(documented).toHaveLength(emitted.length);
    });

    it('lists exactly the spans, each with its attributes', () => {
      const emitted = new Map<string, object[]>();
      for (const { name, attributes } of telemetry.spans) {
        const form = name.replace(/^[A-Z]+ inventory$/, '<METHOD> <service>');
        emitted.set(form, [...(emitted.get(form) ?? []), attributes]);
      }
      const documented = table('span').map(([name, attributes]) => [inCode(name)[0], inCode(attributes).toSorted()]);
      expect(new Map(documented as [string, string[]][])).toEqual(
        new Map([...emitted].map(([name, all]) => [name, keysOf(all)])),
      );
    });

    it('explains each attribute', async () => {
      const explained = table('attribute').flatMap(([names]) => inCode(names));
      const used = [
        ...table('metric').flatMap((row) => inCode(row[3])),
        ...table('metric while observing').flatMap((row) => inCode(row[3])),
        ...table('span').flatMap((row) => inCode(row[1])),
      ];
      expect(explained.toSorted()).toEqual([...new Set(used)].toSorted());
    });
  });
});

describe('KeycloakTelemetryModule', () => {
  it('sends the span of a call in the traceparent header, and sends no baggage', async () => {
    const telemetry = RecordedTelemetry.start();
    propagation.disable();
    propagation.setGlobalPropagator(
      new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
    );
    const app = await started();
    testServices(app).on('inventory', 'GET', PATH).reply(200, {});
    const baggage = propagation.createBaggage({ user: { value: SUBJECT } });
    const traceState = createTraceState('vendor=1');
    const remote = {
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanId: '00f067aa0ba902b7',
      traceFlags: 1,
      traceState,
    };
    const active = propagation.setBaggage(trace.setSpanContext(context.active(), remote), baggage);
    const headers = { 'X-Request-Id': 'r-1', Traceparent: 'that of somebody else' };
    await context.with(active, () => clientOf(app).asService('s').get(PATH, { headers }));
    const span = telemetry.spans.find(({ name }) => name === 'GET inventory');
    const { headers: seen } = testServices(app).calls[0] ?? {};
    expect(seen).toMatchObject({
      'x-request-id': 'r-1',
      traceparent: `00-${remote.traceId}-${span?.spanContext().spanId}-01`,
      tracestate: 'vendor=1',
    });
    expect(seen).not.toHaveProperty('baggage');
    await app.close();
    await telemetry.stop();
  });

  it('keeps the traceparent header of a call if no SDK is registered', async () => {
    const app = await started();
    testServices(app).on('inventory', 'GET', PATH).reply(200, {});
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await clientOf(app).asService('s').get(PATH, { traceparent });
    expect(testServices(app).calls[0]?.headers).toMatchObject({ traceparent });
    await app.close();
  });

  it('makes the active span the parent of the span of a call', async () => {
    const telemetry = RecordedTelemetry.start();
    const app = await started();
    testServices(app).on('inventory', 'GET', PATH).reply(200, {});
    const tracer = trace.getTracer('of the application');
    const parent = tracer.startSpan('a request');
    await context.with(trace.setSpan(context.active(), parent), () => clientOf(app).asService('s').get(PATH));
    const call = telemetry.spans.find(({ name }) => name === 'GET inventory');
    expect(call?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    await app.close();
    await telemetry.stop();
  });

  it('has no span for a call of a request that this process does not record, and sends its trace on', async () => {
    const asked: string[] = [];
    const telemetry = RecordedTelemetry.start({
      shouldSample: (_context, _traceId, name) => {
        asked.push(name);
        return { decision: SamplingDecision.NOT_RECORD };
      },
      toString: () => 'records nothing',
    });
    const app = await started();
    testServices(app).on('inventory', 'GET', PATH).reply(200, {});
    const parent = trace.getTracer('of the application').startSpan('a request');
    await context.with(trace.setSpan(context.active(), parent), () => clientOf(app).asService('s').get(PATH));
    const { traceId, spanId } = parent.spanContext();
    expect(testServices(app).calls[0]?.headers).toMatchObject({ traceparent: `00-${traceId}-${spanId}-00` });
    expect(asked).toEqual(['a request']);
    expect(pointsOf((await telemetry.metrics()).get('keycloak_s2s.service_call.duration'))).toMatchObject([[{}, 1]]);
    await app.close();
    await telemetry.stop();
  });

  it.each([
    ['is recorded, but not sampled', SamplingDecision.RECORD],
    ['is sampled', SamplingDecision.RECORD_AND_SAMPLED],
  ])('has a span for a call of a request that %s', async (_how, decision) => {
    const asked: string[] = [];
    const telemetry = RecordedTelemetry.start({
      shouldSample: (_context, _traceId, name) => {
        asked.push(name);
        return { decision };
      },
      toString: () => 'records everything',
    });
    const app = await started();
    testServices(app).on('inventory', 'GET', PATH).reply(200, {});
    const parent = trace.getTracer('of the application').startSpan('a request');
    await context.with(trace.setSpan(context.active(), parent), () => clientOf(app).asService('s').get(PATH));
    expect(asked).toContain('GET inventory');
    await app.close();
    await telemetry.stop();
  });

  it.each([
    ['another process did not sample the trace', '4bf92f3577b34da6a3ce929d0e0e4736', true],
    ['the active span has no trace', '0'.repeat(32), false],
  ])('asks the sampler about a call if %s', async (_why, traceId, isRemote) => {
    const telemetry = RecordedTelemetry.start();
    const app = await started();
    testServices(app).on('inventory', 'GET', PATH).reply(200, {});
    const remote = {
      traceId,
      spanId: '00f067aa0ba902b7',
      traceFlags: TraceFlags.NONE,
      isRemote,
    };
    await context.with(trace.setSpanContext(context.active(), remote), () => clientOf(app).asService('s').get(PATH));
    expect(telemetry.spans.map(({ name }) => name)).toContain('GET inventory');
    await app.close();
    await telemetry.stop();
  });

  it('reports its counts to a reader that collects after the application has closed', async () => {
    const telemetry = RecordedTelemetry.start();
    const lookups = async () =>
      pointsOf((await telemetry.metrics()).get('keycloak_s2s.cache.lookups')).filter(([, count]) => count !== 0);
    const misses = { 'keycloak_s2s.cache': 'tokens', 'keycloak_s2s.outcome': 'miss' };
    for (const count of [1, 2]) {
      const app = await started();
      testServices(app).on('inventory', 'GET', PATH).reply(200, {});
      await clientOf(app).asService('s').get(PATH);
      await app.close();
      expect(await lookups()).toEqual([[misses, count]]);
    }
    await telemetry.stop();
  });

  it('counts messages once for several applications, until the last application closes', async () => {
    const telemetry = RecordedTelemetry.start();
    const [one, other] = [await started(), await started()];
    testServices(one).on('inventory', 'GET', PATH).reply(200, {});
    await clientOf(one).asService('s').get(PATH);
    expect(pointsOf((await telemetry.metrics()).get('keycloak_s2s.service_call.duration'))).toMatchObject([[{}, 1]]);
    await other.close();
    expect(CHANNELS.every((name) => hasSubscribers(name))).toBe(true);
    await one.close();
    expect(CHANNELS.some((name) => hasSubscribers(name))).toBe(false);
    await telemetry.stop();
  });

  it('subscribes to nothing in an application that was closed during its start', async () => {
    const app = await started();
    const keycloak = app.get<ComposedKeycloak>(KEYCLOAK);
    await app.close();
    const telemetry = new KeycloakTelemetry(keycloak);
    telemetry.onApplicationShutdown();
    telemetry.onModuleInit();
    expect(CHANNELS.some((name) => hasSubscribers(name))).toBe(false);
  });

  it('counts no message if no SDK for metrics is registered', async () => {
    const app = await started();
    const counted = [JWT_VERIFICATION_CHANNEL, SERVICE_CALL_CHANNEL, REFUSAL_REASON_CHANNEL];
    expect(counted.some((name) => hasSubscribers(name))).toBe(false);
    await app.close();
  });

  it('returns the response of a call if no SDK is registered', async () => {
    const app = await started();
    testServices(app).on('inventory', 'GET', PATH).reply(200, { left: 1 });
    await expect(clientOf(app).asService('s').get(PATH)).resolves.toEqual({ left: 1 });
    await app.close();
  });
});

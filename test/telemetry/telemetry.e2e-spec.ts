import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, testServer } from 'keycloak-test-servers';
import { TokenLeakScanner, type TokenProxy } from 'nestjs-keycloak-s2s/testing';
import {
  claimsOf,
  issuer,
  keycloakUrl,
  prefixOf,
  SECRETS,
} from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { endService, spawnService, untilReady, type BuiltService } from '../support/built-service.js';
import { documented, queries, rules, wordsOf } from '../support/observability.js';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.js';
import { Prometheus, prometheusPath } from '../support/prometheus.js';
import type { Variables } from '../support/running-service.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const [SERVER, CLIENT] = [2, 3];
const CALLS = 60;

interface Started {
  readonly url: string;
  readonly managementPort: number;
  readonly service: BuiltService;
  readonly managed: (path: string) => Promise<Response>;
}

const COUNTS_MODULES = `data:text/javascript,${encodeURIComponent(`
  import modules from 'node:module';
  process.on('exit', () => {
    console.log('SDK modules: ' + Object.keys(modules._cache).filter((path) => path.includes('@opentelemetry')).length);
  });
`)}`;

const running: BuiltService[] = [];
let scanner: TokenLeakScanner;
let proxy: TokenProxy;
let keycloak: ContractServer;
let collector: OtlpReceiver;
let all: Readonly<Record<'a' | 'b' | 'c', Started>>;
let tokens: readonly string[];

async function start(name: 'service-a' | 'service-b' | 'service-c', variables: Variables): Promise<Started> {
  const [port, managementPort] = [await freePort(), await freePort()];
  const service = spawnService(name, {
    KEYCLOAK_BASE_URL: proxy.baseUrl,
    KEYCLOAK_REALM: testServer().realm,
    KEYCLOAK_ISSUER: issuer(),
    [`${prefixOf(name)}_CLIENT_SECRET`]: SECRETS[name],
    PORT: String(port),
    MANAGEMENT_PORT: String(managementPort),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    NODE_OPTIONS: `--import=${COUNTS_MODULES}`,
    ...variables,
  });
  running.push(service);
  const url = `http://127.0.0.1:${port}`;
  await untilReady(url, service);
  return { url, managementPort, service, managed: (path) => fetch(`http://127.0.0.1:${managementPort}${path}`) };
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

async function load(a: string): Promise<void> {
  const run = async (token: string): Promise<number> => {
    const answer = await fetch(`${a}/run-service-b`, { headers: bearer(token) });
    await answer.text();
    return answer.status;
  };
  const statuses = await Promise.all(Array.from({ length: CALLS }, async (_, at) => run(tokens[at % 2] ?? '')));
  expect(new Set(statuses)).toEqual(new Set([200, 403]));
  // On a busy machine, concurrent requests may share one introspection, but the next request is always a cache hit.
  expect(await run(tokens[0] ?? '')).toBe(200);
  expect((await fetch(`${a}/api/orders/1`, { headers: bearer('a.b.c') })).status).toBe(401);
  expect((await fetch(`${a}/api/orders/1`)).status).toBe(401);
}

beforeAll(async () => {
  scanner = TokenLeakScanner.start();
  proxy = await scanner.proxyTo(keycloakUrl());
  keycloak = await connectToKeycloak();
  collector = await OtlpReceiver.start();
  tokens = [textOf(await login(keycloak, 'alice')), textOf(await login(keycloak, 'bob'))];
  for (const secret of [...tokens, ...Object.values(SECRETS)]) scanner.addToken(secret);
  const c = await start('service-c', { TOKEN_VERIFICATION: 'jwt' });
  const b = await start('service-b', { SERVICE_C_URL: c.url });
  const a = await start('service-a', { SERVICE_B_URL: b.url });
  all = { a, b, c };
  await load(a.url);
});

afterAll(async () => {
  for (const service of running) {
    await endService(service);
    scanner.inspect(`what process ${service.process.pid} printed`, service.printed(), { isPrinted: true });
  }
  scanner.stop();
  await collector.stop();
  await proxy.stop();
  await keycloak.stop();
  scanner.assertNone();
});

async function scraped(): Promise<string> {
  const texts = await Promise.all(
    Object.values(all).map(async ({ managed }) => {
      const answer = await managed('/metrics');
      expect(answer.status).toBe(200);
      return answer.text();
    }),
  );
  return texts.join('\n');
}

function documentedMetrics(): readonly string[] {
  const guide = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  return (
    [...guide.matchAll(/^\| `((?:keycloak_s2s|http)\.[\w.]+)` +\| (counter|histogram|gauge) /gm)]
      .map(([, name = '', kind]) => name.replaceAll('.', '_') + (kind === 'counter' ? '_total' : ''))
      // Only a service with `enforcement: 'observe'` has these metrics.
      .filter((name) => !name.startsWith('keycloak_s2s_observed_'))
  );
}

describe('services with the variables of OpenTelemetry', () => {
  it('expose each documented metric at the management port', async () => {
    const text = await scraped();
    const found = new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name));
    const inGuide = documentedMetrics();
    expect(inGuide.filter((name) => !found.has(name))).toEqual([]);
    expect(inGuide.length).toBeGreaterThan(12);
    expect([...found].filter((name = '') => name.startsWith('keycloak_s2s')).toSorted()).toEqual(
      inGuide.filter((name) => name.startsWith('keycloak_s2s')).toSorted(),
    );
    expect(text).toMatch(/^target_info\{[^}]*service_name="service-b"/m);
    expect(text).toMatch(/^keycloak_s2s_cache_lookups_total\{.*cache="introspections".*outcome="hit".*\} \d/m);
    expect(text).toMatch(
      /^keycloak_s2s_refusals_total\{.*code="insufficient_scope".*reason="permission_not_granted_to_subject"/m,
    );
    expect(text).toMatch(/^http_server_request_duration_count\{.*http_route="\/api\/process".*status_code="200"/m);
  });

  it('serve only metrics at the management port, and no metrics at the public port', async () => {
    expect((await all.b.managed('/')).status).toBe(404);
    expect((await all.b.managed('/api/whoami')).status).toBe(404);
    expect((await fetch(`${all.b.url}/metrics`)).status).toBe(404);
  });

  it('record one trace for a request from Service A to Service C', async () => {
    const headers = { ...bearer(tokens[0] ?? ''), traceparent: `00-${TRACE}-${CALLER}-01` };
    expect((await fetch(`${all.a.url}/run-service-b`, { headers })).status).toBe(200);
    const isOf = ({ traceId }: ReceivedSpan): boolean => traceId === TRACE;
    await collector.until(3, (span) => isOf(span) && span.kind === SERVER);
    await collector.until(2, (span) => isOf(span) && / service-[bc]$/.test(span.name));
    const found = collector.spans.filter(isOf);
    const one = (service: string, kind: number, name: RegExp): ReceivedSpan | undefined =>
      found.find((span) => span.service === service && span.kind === kind && name.test(span.name));
    const path = [
      one('service-a', SERVER, /^GET \/run-service-b$/),
      one('service-a', CLIENT, /^POST service-b$/),
      one('service-b', SERVER, /^POST \/api\/process$/),
      one('service-b', CLIENT, /^POST service-c$/),
      one('service-c', SERVER, /^POST \/api\/compute$/),
    ];
    expect(path.map((span) => span?.parentSpanId)).toEqual([
      CALLER,
      ...path.slice(0, -1).map((span) => span?.spanId ?? 'none'),
    ]);
    expect(path[1]?.attributes).toMatchObject({
      'keycloak_s2s.service': 'service-b',
      'http.response.status_code': expect.anything() as unknown,
    });
  });

  it('start a trace for each request without a traceparent header', async () => {
    const roots = await collector.until(
      CALLS,
      ({ name, parentSpanId = '' }) => name === 'GET /run-service-b' && parentSpanId === '',
    );
    expect(new Set(roots.map(({ traceId }) => traceId)).size).toBe(roots.length);
    const introspections = await collector.until(3, ({ name }) => name === 'keycloak introspection');
    const { spans } = collector;
    const address = new URL(proxy.baseUrl).hostname;
    expect(introspections.map(({ kind, attributes }) => [kind, attributes['server.address']])).toEqual(
      introspections.map(() => [CLIENT, address]),
    );
    const parents = introspections.flatMap(({ parentSpanId }) => spans.filter(({ spanId }) => spanId === parentSpanId));
    expect(new Set(parents.map(({ kind }) => kind))).toEqual(new Set([SERVER]));
    expect(spans.filter(({ name }) => name.includes('/health'))).toEqual([]);
  });

  it('show no token, secret or subject in metrics and spans', async () => {
    const text = await scraped();
    scanner.inspect('the metrics', text);
    scanner.inspect('the spans', collector.received);
    scanner.assertNone();
    expect(scanner.knownCount).toBeGreaterThan(tokens.length);
    for (const token of tokens) {
      const { sub, sid, jti, email } = claimsOf(token);
      const hash = createHash('sha256').update(token).digest('hex');
      for (const secret of [sub, sid, jti, email, hash, hash.slice(0, 16), 'alice', 'bob']) {
        if (secret === undefined) continue;
        expect(text).not.toContain(String(secret));
        expect(collector.received).not.toContain(String(secret));
      }
    }
  });

  it('send the remaining spans before they exit, and exit with 0', async () => {
    const headers = { traceparent: `00-${TRACE.replace('4bf9', '0000')}-${CALLER}-01` };
    const quiet = await start('service-c', { OTEL_BSP_SCHEDULE_DELAY: '3600000' });
    expect((await fetch(`${quiet.url}/api/whoami`, { headers })).status).toBe(401);
    quiet.service.process.kill('SIGTERM');
    expect(await quiet.service.exited).toBe(0);
    expect(collector.spans.some(({ traceId }) => headers.traceparent.includes(traceId))).toBe(true);
    expect(/SDK modules: (\d+)/.exec(quiet.service.printed())?.[1]).toMatch(/^[1-9]/);
  });

  it('name the management port in the error message if the port is in use', async () => {
    const port = await freePort();
    const service = spawnService('service-c', {
      KEYCLOAK_BASE_URL: proxy.baseUrl,
      KEYCLOAK_REALM: testServer().realm,
      SERVICE_C_CLIENT_SECRET: SECRETS['service-c'],
      PORT: String(port),
      MANAGEMENT_PORT: new URL(all.c.url).port,
    });
    running.push(service);
    expect(await service.exited).toBe(1);
    expect(service.printed()).toMatch(
      new RegExp(`Port ${new URL(all.c.url).port} is in use\\. .* set MANAGEMENT_PORT`),
    );
  });
});

const onPrometheus = prometheusPath === undefined ? describe.skip : describe;

onPrometheus('Prometheus, with the rules of this repository', () => {
  it('scrapes each metric that the rules and the dashboard use, and evaluates each rule', async () => {
    const prometheus = await Prometheus.start(
      prometheusPath ?? '',
      Object.values(all).map(({ managementPort }) => managementPort),
    );
    try {
      const wanted = queries.flatMap(([, query]) => wordsOf(query).filter((word) => documented.has(word)));
      const names = await prometheus.names(wanted);
      expect(wanted.filter((name) => !names.includes(name))).toEqual([]);
      const { groups } = await prometheus.ask<{
        readonly groups: readonly { readonly rules: readonly { readonly name: string; readonly health: string }[] }[];
      }>('rules');
      const evaluated = groups.flatMap((group) => group.rules.map(({ name, health }) => [name, health]));
      expect(evaluated).toEqual(rules.map(({ alert }) => [alert, expect.stringMatching(/^(ok|unknown)$/)]));
    } finally {
      await prometheus.stop();
    }
  });
});

describe('a service without the variables of OpenTelemetry', () => {
  it.each<[string, Variables]>([
    ['no variable is set', { MANAGEMENT_PORT: '', OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
    ['OTEL_SDK_DISABLED is true', { OTEL_SDK_DISABLED: 'true' }],
  ])('opens no management port and loads no OpenTelemetry SDK: %s', async (_, variables) => {
    const off = await start('service-c', variables);
    await expect(off.managed('/metrics')).rejects.toThrow('fetch failed');
    off.service.process.kill('SIGTERM');
    expect(await off.service.exited).toBe(0);
    expect(off.service.printed()).toContain('SDK modules: 0');
  });
});

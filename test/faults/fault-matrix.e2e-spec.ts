import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  startFaultProxy,
  type ConnectionFault,
  type Fault,
  type RunningAuthorizationServer,
  testServer,
} from 'keycloak-test-servers';
import { clientCredentials, textOf, type Asked } from '../../libs/keycloak-test-servers/contract/requests.js';
import { startEmbeddedServer } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { observe, type FaultScenario, type WhatWasSeen } from '../support/fault-scenario.js';
import { issuer, keycloakUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import type { RunningService } from '../support/running-service.js';
import { RunningServices, ttl, type ServerAddress } from '../support/running-services.js';

const TTL_SECONDS = 4;
/** Allows four times `timeoutMs` for an answer, because the machine may be busy. */
const DEADLINE_MS = 12_000;

const started: RunningServices[] = [];
const stops: (() => Promise<unknown>)[] = [];
const tokens: string[] = [];

async function serviceB(server: ServerAddress, ttlSeconds = TTL_SECONDS): Promise<RunningService> {
  const services = await RunningServices.start({
    only: ['service-b'],
    server,
    direct: true,
    variables: ttl(ttlSeconds),
  });
  started.push(services);
  return services.b;
}

const twoTokens = async (server: Asked): Promise<FaultScenario['tokens']> => {
  const token = async () => textOf(await clientCredentials(server, 'service-a', 'orders.approve'));
  const [known, unknown] = [await token(), await token()];
  tokens.push(known, unknown);
  return { known, unknown };
};

const CONNECTION_FAULTS: readonly (readonly [name: string, fault: ConnectionFault])[] = [
  ['refuses connections', { kind: 'refuse' }],
  ['accepts connections and never answers', { kind: 'hang' }],
  ['is behind a network black hole', { kind: 'black-hole' }],
  ['resets every connection', { kind: 'reset' }],
  ['resets the connection in the middle of an answer', { kind: 'reset', afterBytes: 100 }],
  ['closes the connection in the middle of an answer', { kind: 'cut', afterBytes: 100 }],
  ['half-closes the connection in the middle of an answer', { kind: 'half-close', afterBytes: 100 }],
  ['sends one byte a second', { kind: 'slow-bytes', everyMs: 1000 }],
  ['has a latency longer than the time-out', { kind: 'latency', milliseconds: 10_000 }],
];

const SERVER_FAULTS: readonly (readonly [name: string, fault: Fault])[] = [
  ['reads the request and never answers', { kind: 'hang' }],
  ['sends only headers', { kind: 'slow-bytes', everyMs: 1_000_000 }],
  ['answers with one byte a second', { kind: 'slow-bytes', everyMs: 1000 }],
  ['answers after the time-out', { kind: 'delay', milliseconds: 10_000 }],
  ['answers 500', { kind: 'status', status: 500 }],
  ['answers 503', { kind: 'status', status: 503 }],
  ['answers 429', { kind: 'status', status: 429 }],
  ['answers 503 with Retry-After', { kind: 'status', status: 503, retryAfter: 7 }],
  ['answers 429 with Retry-After', { kind: 'status', status: 429, retryAfter: 7 }],
];

async function behindProxy(fault: ConnectionFault): Promise<FaultScenario> {
  const proxy = await startFaultProxy({ target: keycloakUrl() });
  const service = await serviceB({ baseUrl: proxy.baseUrl, issuer: issuer() });
  stops.push(() => proxy.stop());
  return {
    service,
    ttlSeconds: TTL_SECONDS,
    tokens: await twoTokens(testServer()),
    async begin() {
      await proxy.fault(fault);
      // These faults simulate the loss of a machine, so open connections must also break.
      if (fault.kind === 'refuse' || fault.kind === 'hang') proxy.resetConnections();
    },
    async end() {
      await proxy.fault(undefined);
      proxy.resetConnections();
    },
  };
}

async function atServer(fault: Fault): Promise<FaultScenario> {
  const server: RunningAuthorizationServer = await startEmbeddedServer();
  const service = await serviceB(server);
  stops.push(() => server.stop());
  return {
    service,
    ttlSeconds: TTL_SECONDS,
    tokens: await twoTokens(server),
    begin: () => server.control.fault('all', fault),
    end: () => server.control.fault('all', undefined),
  };
}

const seen = new Map<string, PromiseSettledResult<WhatWasSeen>>();
const seenWhen = (name: string): WhatWasSeen => {
  const found = seen.get(name);
  if (found === undefined) throw new Error(`Nothing was seen when it ${name}`);
  if (found.status === 'rejected') throw found.reason;
  return found.value;
};

beforeAll(async () => {
  const scenarios: [string, FaultScenario][] = [];
  for (const [name, fault] of CONNECTION_FAULTS) scenarios.push([name, await behindProxy(fault)]);
  for (const [name, fault] of SERVER_FAULTS) scenarios.push([name, await atServer(fault)]);
  const settled = await Promise.allSettled(scenarios.map(([, scenario]) => observe(scenario)));
  for (const [at, [name]] of scenarios.entries()) seen.set(name, settled[at]!);
});

afterAll(async () => {
  for (const services of started) await services.stop();
  for (const stop of stops) await stop();
});

describe.each([...CONNECTION_FAULTS, ...SERVER_FAULTS].map(([name]) => name))('the server %s', (name) => {
  it('makes a service answer 503 with Retry-After to an unknown token before the deadline (RS-14, CC-09)', () => {
    const { unknown } = seenWhen(name);
    expect(unknown).toMatchObject({
      status: 503,
      code: 'authorization_server_unavailable',
      retryAfter: expect.stringMatching(/^[1-9]\d*$/),
      challenge: null,
    });
    expect(unknown.tookMs).toBeLessThan(DEADLINE_MS);
  });

  it('lets a service accept a known token until the cached result expires, and then answer 503 (RS-14, RS-12)', () => {
    const { knownInTime, knownAfterwards } = seenWhen(name);
    expect(knownInTime.length).toBeGreaterThan(5);
    expect(new Set(knownInTime.map(({ status }) => status))).toEqual(new Set([200]));
    expect(knownAfterwards).toMatchObject({ status: 503, code: 'authorization_server_unavailable', challenge: null });
    expect(knownAfterwards.tookMs).toBeLessThan(DEADLINE_MS);
  });

  it('makes a service report that it is live but not ready (RS-14)', () => {
    const { ready, live } = seenWhen(name);
    expect([ready.status, live.status]).toEqual([503, 200]);
  });

  it('receives calls again soon after the fault ends (CC-09)', () => {
    expect(seenWhen(name).recoveredAfterMs).toBeLessThan(DEADLINE_MS);
  });
});

describe('the Retry-After header of the server', () => {
  it.each(['answers 503 with Retry-After', 'answers 429 with Retry-After'])(
    'is also in the answer of the service if the server %s (RS-14)',
    (name) => {
      expect(seenWhen(name)).toMatchObject({ unknown: { retryAfter: '7' }, knownAfterwards: { retryAfter: '7' } });
    },
  );
});

describe('the output of the services', () => {
  it('contains no token (RS-23)', () => {
    const [services] = started as [RunningServices];
    expect(services.printed()).toContain('authorization_server_unavailable');
    for (const token of tokens) services.scanner.addToken(token);
    expect(services.scanner.leaks()).toEqual([]);
  });
});

describe('a server whose name DNS cannot resolve', () => {
  it('makes a service answer 503 with Retry-After, and report that it is live but not ready (RS-14)', async () => {
    const service = await serviceB({ baseUrl: 'http://keycloak.invalid:8080', issuer: issuer() }, 10);
    const { unknown } = await twoTokens(testServer());
    const refused = await service.whoami(unknown);
    expect(refused).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^[1-9]\d*$/), challenge: null });
    expect(refused.tookMs).toBeLessThan(DEADLINE_MS);
    expect([(await service.ready()).status, (await service.live()).status]).toEqual([503, 200]);
  });
});

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Fault, RunningAuthorizationServer } from 'keycloak-test-servers';
import { clientCredentials, login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { startEmbeddedServer } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import type { RunningService } from '../support/running-service.js';
import { RunningServices, ttl } from '../support/running-services.js';

const ANSWERS: readonly (readonly [name: string, fault: Fault])[] = [
  ['50 MB', { kind: 'huge' }],
  ['a gzip bomb', { kind: 'gzip-bomb' }],
  ['an HTML page', { kind: 'html' }],
  ['a truncated answer', { kind: 'truncated' }],
  ['an empty answer', { kind: 'empty' }],
  ['plain text', { kind: 'wrong-content-type' }],
  ['ISO-8859-1 with a declared charset', { kind: 'wrong-charset' }],
  ['ISO-8859-1 without a declared charset', { kind: 'wrong-charset', declared: false }],
  ['JSON with every member twice', { kind: 'duplicate-keys' }],
  ['claims in __proto__', { kind: 'proto' }],
  ['100,000 nested arrays', { kind: 'deep' }],
];
const UNAVAILABLE = { status: 503, code: 'authorization_server_unavailable' };
const DEADLINE_MS = 12_000;

let server: RunningAuthorizationServer;
let chain: RunningServices;
let alone: RunningServices;
let service: RunningService;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = await startEmbeddedServer();
  chain = await RunningServices.start({ server, direct: true });
  alone = await startB();
  service = alone.b;
});

const startB = (): Promise<RunningServices> =>
  RunningServices.start({ only: ['service-b'], server, direct: true, variables: ttl(10) });

afterEach(async () => {
  for (const endpoint of ['introspection', 'token', 'discovery'] as const) server.control.fault(endpoint, undefined);
  for (const stop of stops.splice(0)) await stop();
});

afterAll(async () => {
  await alone.stop();
  await chain.stop();
  await server.stop();
});

const tokenForB = async (): Promise<string> => textOf(await clientCredentials(server, 'service-a', 'orders.approve'));

async function chainFor(token: string): Promise<{ status: number; code: unknown }> {
  const response = await fetch(`${chain.a.url}/run-service-b`, { headers: { Authorization: `Bearer ${token}` } });
  return { status: response.status, code: ((await response.json()) as { readonly code?: unknown }).code };
}

function expectCleanPrototype(): void {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect({}).not.toHaveProperty('polluted');
  expect({}).not.toHaveProperty('active');
}

describe.each(ANSWERS)('a faulty answer of the server: %s', (_, fault) => {
  it('leads to 503 before the deadline for an introspection, and does not change Object.prototype (RS-15, RS-14)', async () => {
    const token = await tokenForB();
    server.control.fault('introspection', fault);
    const answer = await service.whoami(token);
    expect(answer).toMatchObject({ ...UNAVAILABLE, challenge: null, retryAfter: expect.stringMatching(/^[1-9]\d*$/) });
    expect(answer.tookMs).toBeLessThan(DEADLINE_MS);
    expectCleanPrototype();
    server.control.fault('introspection', undefined);
    expect(await service.whoami(token)).toMatchObject({ status: 200 });
  });

  it('leads to 503 before the deadline for an exchange, and does not change Object.prototype (RS-15)', async () => {
    const token = textOf(await login(server, 'alice'));
    server.control.fault('token', fault);
    const startMs = performance.now();
    expect(await chainFor(token)).toMatchObject(UNAVAILABLE);
    expect(performance.now() - startMs).toBeLessThan(DEADLINE_MS);
    expectCleanPrototype();
    server.control.fault('token', undefined);
    expect(await chainFor(token)).toMatchObject({ status: 200 });
  });

  it('leads to 503 for a metadata request, and does not change Object.prototype (RS-15)', async () => {
    const started = await startB();
    stops.push(() => started.stop());
    const fresh = started.b;
    const token = await tokenForB();
    server.control.fault('discovery', fault);
    expect(await fresh.whoami(token)).toMatchObject(UNAVAILABLE);
    expectCleanPrototype();
    server.control.fault('discovery', undefined);
    expect(await fresh.whoami(token)).toMatchObject({ status: 200 });
  });
});

describe('wrong discovery metadata (CC-07)', () => {
  let elsewhere: Server;
  let arrived: IncomingMessage[];

  beforeAll(async () => {
    elsewhere = createServer((request, response) => {
      arrived.push(request);
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"active":true}');
    }).listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
  });
  afterAll(() => void elsewhere.close());

  const LIES: readonly (readonly [about: string, members: (foreign: string) => Record<string, unknown>])[] = [
    ['the issuer', (foreign) => ({ issuer: `${foreign}/realms/microservices` })],
    ['a trailing slash of the issuer', () => ({ issuer: `${server.issuer}/` })],
    ['the introspection endpoint', (foreign) => ({ introspection_endpoint: `${foreign}/introspect` })],
    ['the token endpoint', (foreign) => ({ token_endpoint: `${foreign}/token` })],
    [
      'both endpoints',
      (foreign) => ({ introspection_endpoint: `${foreign}/introspect`, token_endpoint: `${foreign}/token` }),
    ],
    [
      'an endpoint whose user info looks like a host',
      (foreign) => ({ token_endpoint: `${foreign.replace('//', '//localhost:1@')}/token` }),
    ],
  ];

  it.each(LIES)('leads to 502 without a request to a foreign address: %s', async (_, members) => {
    arrived = [];
    const foreign = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
    server.control.fault('discovery', { kind: 'members', members: members(foreign) });
    const lied = await RunningServices.start({ server, direct: true });
    stops.push(() => lied.stop());
    const introspected = await fetch(`${lied.b.url}/api/whoami`, {
      headers: { Authorization: `Bearer ${await tokenForB()}` },
    });
    const asService = await fetch(`${lied.a.url}/run-service-b`);
    for (const response of [introspected, asService]) {
      expect(response.status).toBe(502);
      expect(await response.json()).toMatchObject({ code: 'authorization_server_refused' });
    }
    expect(arrived).toEqual([]);
  });

  it('does not affect a service that has already read correct metadata', async () => {
    arrived = [];
    const foreign = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
    expect(await service.whoami(await tokenForB())).toMatchObject({ status: 200 });
    server.control.fault('discovery', {
      kind: 'members',
      members: { introspection_endpoint: `${foreign}/introspect` },
    });
    expect(await service.reachesKeycloak()).toBe(false);
    expect(await service.whoami(await tokenForB())).toMatchObject({ status: 200 });
    expect(arrived).toEqual([]);
  });
});

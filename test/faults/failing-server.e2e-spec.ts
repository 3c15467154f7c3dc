import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startFaultProxy, type RunningAuthorizationServer, testServer } from 'keycloak-test-servers';
import { tokenText } from '../../libs/keycloak/src/testing/token-text.js';
import { clientCredentials, textOf, type Asked } from '../../libs/keycloak-test-servers/contract/requests.js';
import { startEmbeddedServer } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { issuer, keycloakUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import type { RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';
import { RunningServices, ttl, type ServerAddress } from '../support/running-services.js';

/** By default, `FAILURES` failures open the circuit. The next call is possible after `PAUSE_MS`. */
const FAILURES = 10;
const PAUSE_MS = 1000;

let server: RunningAuthorizationServer;
let service: RunningService;
const stops: (() => Promise<unknown>)[] = [];

async function serviceB(at: ServerAddress): Promise<RunningService> {
  const services = await RunningServices.start({ only: ['service-b'], server: at, direct: true, variables: ttl(10) });
  stops.push(() => services.stop());
  return services.b;
}

beforeEach(async () => {
  server = await startEmbeddedServer();
  service = await serviceB(server);
  await service.whoami(tokenText('warm'));
  server.control.calls.reset();
});

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await server.stop();
});

const tokenOf = async (asked: Asked): Promise<string> =>
  textOf(await clientCredentials(asked, 'service-a', 'orders.approve'));

async function ask(count: number, name: string): Promise<string[]> {
  const answers: string[] = [];
  for (let number = 0; number < count; number += 1) {
    const { status, reason } = await service.whoami(tokenText(`${name}-${number}`));
    answers.push(`${status} ${String(reason)}`);
  }
  return answers;
}

const pausesSince = (ms: number): number => Math.floor((performance.now() - ms) / PAUSE_MS);

describe('a server that fails every call', () => {
  it('receives at most 1.1 calls per request, then one call per pause of the circuit (CC-09, RS-14)', async () => {
    server.control.fault('introspection', { kind: 'status', status: 500 });
    const answers = await ask(100, 'all-fail');
    expect(answers.every((answer) => answer.startsWith('503 '))).toBe(true);
    expect(server.control.calls.introspection).toBeLessThanOrEqual(100 * 1.1);
    // One of the last two requests may have been the trial call after a pause.
    expect(answers.slice(-2)).toContain('503 circuit_open');
    const [before, openSinceMs] = [server.control.calls.introspection, performance.now()];
    const refused = (await ask(50, 'open')).filter((answer) => answer === '503 circuit_open');
    const calls = server.control.calls.introspection - before;
    // A request whose trial call failed is answered by the failure.
    expect(refused.length).toBeGreaterThanOrEqual(50 - calls);
    expect(calls).toBeLessThanOrEqual(1 + pausesSince(openSinceMs));
  });

  it('receives at most one call per pause of the circuit until a call succeeds (CC-09)', async () => {
    const beganMs = performance.now();
    server.control.fault('introspection', { kind: 'status', status: 500 });
    await ask(FAILURES, 'opening');
    await sleep(PAUSE_MS + 50);
    const failed = await Promise.all(
      Array.from({ length: 20 }, (_, number) => service.whoami(tokenText(`probe-${number}`))),
    );
    expect(new Set(failed.map(({ status }) => status))).toEqual(new Set([503]));
    expect(failed).toContainEqual(expect.objectContaining({ reason: 'circuit_open', retryAfter: '1' }));
    const calls = server.control.calls.introspection - FAILURES;
    expect(calls).toBeGreaterThanOrEqual(1);
    expect(calls).toBeLessThanOrEqual(pausesSince(beganMs));
    server.control.fault('introspection', undefined);
    const good = await tokenOf(server);
    await until(async () => (await service.whoami(good)).status === 200, 'the service accepts the token');
    expect(await ask(20, 'well')).toEqual(Array.from({ length: 20 }, () => '401 inactive'));
  });

  it('receives no call before the time in Retry-After is over (CC-09)', async () => {
    const beganMs = performance.now();
    server.control.fault('introspection', { kind: 'status', status: 503, retryAfter: 3, times: FAILURES });
    await ask(FAILURES, 'opening');
    expect(server.control.calls.introspection).toBe(FAILURES);
    await until(async () => (await ask(1, 'then'))[0] === '401 inactive', 'the service asks the server again');
    expect(performance.now() - beganMs).toBeGreaterThanOrEqual(3000);
  });

  it('receives calls to other endpoints if only introspection calls fail (CC-09)', async () => {
    server.control.fault('introspection', { kind: 'status', status: 500 });
    await ask(FAILURES, 'opening');
    expect(await ask(10, 'open')).toContain('503 circuit_open');
    expect(await service.reachesKeycloak()).toBe(true);
  });
});

describe('a server call that fails once', () => {
  it.each([500, 502, 503, 429] as const)('is retried after the answer %i (CC-09)', async (status) => {
    const good = await tokenOf(server);
    server.control.calls.reset();
    server.control.fault('introspection', { kind: 'status', status, times: 1 });
    expect(await service.whoami(good)).toMatchObject({ status: 200 });
    expect(server.control.calls.introspection).toBe(2);
  });

  it('is retried after the reset of a kept-alive connection (CC-09)', async () => {
    const proxy = await startFaultProxy({ target: keycloakUrl() });
    const real = await serviceB({ baseUrl: proxy.baseUrl, issuer: issuer() });
    stops.push(() => proxy.stop());
    const [first, second] = [await tokenOf(testServer()), await tokenOf(testServer())];
    expect(await real.whoami(first)).toMatchObject({ status: 200 });
    const { accepted } = proxy.connections;
    await proxy.fault({ kind: 'reset', times: 1 });
    expect(await real.whoami(second)).toMatchObject({ status: 200 });
    expect(proxy.connections.accepted).toBe(accepted + 1);
  });
});

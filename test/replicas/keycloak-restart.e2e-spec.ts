import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFaultProxy, testServer, type RunningFaultProxy } from 'keycloak-test-servers';
import { clientCredentials, login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { KeycloakRecorder, type RecordedCall } from '../support/keycloak-recorder.js';
import { canReplicate, ReplicatedServices } from '../support/replicated-services.js';
import { ttl } from '../support/running-services.js';
import { OK, underSteadyLoad, type Failure } from '../support/steady-load.js';

const REPLICAS = 3;
const SERVICES = ['service-a', 'service-b', 'service-c'];
/** The default of `maxConcurrentCalls`. Introspections and token requests have separate limits. */
const BULKHEAD = 20;
const TTL_SECONDS = 5;
const HOT = 30;
/** The number of unknown tokens that arrive together after the outage exceeds the bulkhead. */
const COLD = 150;
const PER_SECOND = 30;
const SLOW_MS = 200;
/** Longer than the maximum wait for a slot (half of `TIMEOUT_MS`), but shorter than `TIMEOUT_MS`. */
const SLOWER_MS = 2000;
const TIMEOUT_MS = 3000;
const WATCHED_MS = 5000;
const UNAVAILABLE = /^50[234] .*"(authorization_server_unavailable|service_(unavailable|failed|timeout))"/;

const describeWithReplicas = canReplicate ? describe : describe.skip;

describeWithReplicas('Keycloak after an outage, called by three replicas of each service', () => {
  let recorder: KeycloakRecorder;
  let proxy: RunningFaultProxy;
  let services: ReplicatedServices;
  const hot: string[] = [];
  const cold: string[] = [];

  beforeAll(async () => {
    const server = testServer();
    proxy = await startFaultProxy({ target: server.baseUrl });
    recorder = await KeycloakRecorder.start(proxy.baseUrl);
    services = await ReplicatedServices.start({
      replicas: REPLICAS,
      server: { baseUrl: recorder.baseUrl, issuer: server.issuer },
      variables: ttl(TTL_SECONDS),
    });
    while (hot.length < HOT) hot.push(textOf(await login(server, 'alice')));
    while (cold.length < COLD) cold.push(textOf(await clientCredentials(server, 'service-a', 'orders.approve')));
    for (const token of [...hot, ...cold]) services.scanner.addToken(token);
  });
  afterAll(async () => {
    await services.stop();
    await recorder.stop();
    await proxy.stop();
  });

  async function ask(service: string, path: string, token: string | undefined): Promise<string> {
    const headers = { Authorization: `Bearer ${token}` };
    const response = await fetch(services.urlOf(service) + path, { headers });
    const body = await response.text();
    return response.status === 200 ? OK : `${response.status} ${body}`;
  }

  const send = (number: number): Promise<string> => ask('service-a', '/run-service-b', hot[number % HOT]);

  async function untilServed(): Promise<void> {
    for (let inRow = 0, number = 0; inRow < HOT; number += 1) {
      inRow = (await send(number)) === OK ? inRow + 1 : 0;
      if (inRow === 0) await sleep(20);
    }
  }

  it('receives only the necessary calls, limited by the bulkheads (RS-14, CC-05)', async () => {
    await untilServed();
    let back: RecordedCall[] = [];
    let servedMs = 0;
    let watchedMs = 0;
    let floodedUntilMs = 0;
    const { failures } = await underSteadyLoad({ perSecond: PER_SECOND, send }, async () => {
      await proxy.fault({ kind: 'refuse' });
      proxy.resetConnections();
      await sleep(TTL_SECONDS * 1000 + 500);
      const before = recorder.calls.length;
      const readyMs = performance.now();
      await proxy.fault({ kind: 'latency', milliseconds: SLOW_MS });
      await untilServed();
      servedMs = performance.now();
      await proxy.fault({ kind: 'latency', milliseconds: SLOWER_MS });
      const answers = await Promise.all(cold.map((token) => ask('service-b', '/api/whoami', token)));
      const others = answers.filter((answer) => answer !== OK);
      expect(others).toEqual(others.map(() => expect.stringMatching(UNAVAILABLE)));
      await proxy.fault(undefined);
      await untilServed();
      floodedUntilMs = performance.now() + TIMEOUT_MS;
      await sleep(TIMEOUT_MS + WATCHED_MS);
      back = recorder.calls.slice(before);
      watchedMs = performance.now() - readyMs;
    });
    expect(failures.length).toBeGreaterThan(0);
    expect(failures.map(({ outcome }) => outcome)).toEqual(failures.map(() => expect.stringMatching(UNAVAILABLE)));
    // While unknown tokens wait for slots, the renewal of a cached result may take too long.
    const isFlooded = ({ startedMs }: Failure): boolean => startedMs > servedMs && startedMs < floodedUntilMs;
    expect(failures.filter((failure) => failure.startedMs > servedMs && !isFlooded(failure))).toEqual([]);

    const asked = back
      .filter(({ endpoint }) => endpoint === 'token/introspect')
      .map(({ form }) => form.get('token') ?? '');
    const ofCold = asked.filter((token) => cold.includes(token));
    expect(ofCold).toHaveLength(new Set(ofCold).size);
    const ofHot = asked.length - ofCold.length;
    // Replicas share results, so each service introspects a token once, then once per ttl.
    const needed = HOT * SERVICES.length * (1 + watchedMs / 1000 / TTL_SECONDS);
    expect(ofHot).toBeGreaterThanOrEqual(HOT * SERVICES.length);
    expect(ofHot).toBeLessThanOrEqual(needed * 1.1);
    // At most one exchange per user token and called service is necessary.
    expect(back.filter(({ endpoint }) => endpoint === 'token').length).toBeLessThanOrEqual(HOT * 2 * 1.1);

    for (const kind of ['token', 'token/introspect'] as const)
      for (const service of SERVICES)
        expect(recorder.mostAtOnce(kind, service)).toBeLessThanOrEqual(REPLICAS * BULKHEAD);
    expect(recorder.mostAtOnce('token/introspect', 'service-b')).toBeGreaterThan((REPLICAS - 1) * BULKHEAD);
  });
});

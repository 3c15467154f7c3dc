import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { tokenText } from '../../libs/keycloak/src/testing/token-text.js';
import { clientCredentials, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { startEmbeddedServer } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import type { RunningService, ServiceAnswer } from '../support/running-service.js';
import { RunningServices, ttl } from '../support/running-services.js';

const JUNK = 5000;
/** More concurrent requests than the default bulkhead admits, which is 20 running and 500 waiting calls. */
const SENDERS = 800;
/** The default bulkhead reserves one fifth of its slots for the renewal of cached results. */
const MAX_CONCURRENT_CALLS = 20;
const FOR_UNKNOWN_TOKENS = 16;

let server: RunningAuthorizationServer;
let services: RunningServices;
let service: RunningService;
let good: string;
let junkAnswers: ServiceAnswer[];
let goodAnswers: ServiceAnswer[];
let callsOfFlood: number;

beforeAll(async () => {
  server = await startEmbeddedServer();
  services = await RunningServices.start({ only: ['service-b'], server, variables: ttl(60) });
  service = services.b;
  good = textOf(await clientCredentials(server, 'service-a', 'orders.approve'));
  await service.whoami(good);
  // The server works, but too slowly for all queued calls.
  server.control.fault('introspection', { kind: 'delay', milliseconds: 200 });
  const before = server.control.calls.introspection;
  const flooding = new AbortController();
  const goodOnes = (async () => {
    const answers: ServiceAnswer[] = [];
    for (; !flooding.signal.aborted; await sleep(20)) answers.push(await service.whoami(good));
    return answers;
  })();
  junkAnswers = await flood('junk', JUNK);
  flooding.abort();
  goodAnswers = await goodOnes;
  callsOfFlood = server.control.calls.introspection - before;
  server.control.fault('introspection', undefined);
});

afterAll(async () => {
  await services.stop();
  await server.stop();
});

async function flood(name: string, count: number): Promise<ServiceAnswer[]> {
  const answers: ServiceAnswer[] = [];
  let sent = 0;
  const sender = async (): Promise<void> => {
    while (sent < count) answers.push(await service.whoami(tokenText(`${name}-${sent++}`)));
  };
  await Promise.all(Array.from({ length: Math.min(SENDERS, count) }, sender));
  return answers;
}

describe('a flood of 5,000 junk tokens', () => {
  it('causes no more concurrent calls than the bulkhead allows (RS-16)', () => {
    expect(services.keycloak.mostAtOnce()).toBeLessThanOrEqual(MAX_CONCURRENT_CALLS);
    expect(services.keycloak.mostAtOnce()).toBeGreaterThanOrEqual(FOR_UNKNOWN_TOKENS);
    expect(callsOfFlood).toBeLessThanOrEqual(JUNK);
  });

  it('gets 401, or 503 with Retry-After if the queue is full (RS-16, RS-14)', () => {
    expect(junkAnswers).toHaveLength(JUNK);
    const queueFull = junkAnswers.filter(({ reason }) => reason === 'queue_full');
    const kinds = new Set(junkAnswers.map(({ status, reason }) => `${status} ${reason}`));
    expect([...kinds]).toEqual(expect.arrayContaining(['401 inactive', '503 queue_full']));
    // On a busy machine, late answers may open the circuit for some time.
    for (const kind of ['401 inactive', '503 queue_full', '503 timeout', '503 circuit_open']) kinds.delete(kind);
    expect([...kinds]).toEqual([]);
    expect(new Set(queueFull.map(({ status, retryAfter }) => `${status} ${retryAfter}`))).toEqual(new Set(['503 1']));
    expect(callsOfFlood).toBeLessThanOrEqual(JUNK - queueFull.length);
  });

  it('does not affect a token with a cached introspection result (RS-16)', () => {
    expect(goodAnswers.length).toBeGreaterThan(10);
    expect(new Set(goodAnswers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('leaves the circuit closed, so the service introspects the next unknown token immediately (RS-16)', async () => {
    const another = textOf(await clientCredentials(server, 'service-a', 'orders.approve'));
    expect(await service.whoami(another)).toMatchObject({ status: 200 });
  });

  it('causes no second introspection of a repeated junk token (RS-16)', async () => {
    // On a busy machine, the server may answer too late, and the service does not cache the resulting 503.
    while ((await flood('again', 100)).some(({ status }) => status !== 401)) await sleep(100);
    const before = server.control.calls.introspection;
    const answers = await flood('again', 100);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(server.control.calls.introspection).toBe(before);
  });

  it('causes no introspection if the tokens are malformed (RS-16, RS-03)', async () => {
    const before = server.control.calls.introspection;
    const answers = await Promise.all(
      ['a b', 'ü', '"x"', 'x'.repeat(8193)].map((token) => service.whoami(encodeURI(token))),
    );
    expect(answers.map(({ status }) => status).every((status) => status === 400 || status === 401)).toBe(true);
    expect(server.control.calls.introspection).toBe(before);
  });
});

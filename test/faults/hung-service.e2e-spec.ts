import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RunningServices } from '../support/running-services.js';

const MOST_CALLS = 100;
const FAILURES = 10;

let hung: Server;
let services: RunningServices;
let answer: RequestListener;
let connections: number;
let requests: number;

beforeEach(async () => {
  answer = () => undefined;
  [connections, requests] = [0, 0];
  hung = createServer((request, response) => {
    requests += 1;
    request.resume();
    answer(request, response);
  }).listen(0, '127.0.0.1');
  hung.on('connection', () => (connections += 1));
  await once(hung, 'listening');
  const { port } = hung.address() as AddressInfo;
  const variables = { SERVICE_B_URL: `http://127.0.0.1:${port}` };
  services = await RunningServices.start({ only: ['service-a'], direct: true, variables });
});

afterEach(async () => {
  hung.close();
  hung.closeAllConnections();
  await services.stop();
});

interface Answer {
  readonly status: number;
  readonly reason: unknown;
  readonly retryAfter: string | null;
}

async function run(): Promise<Answer> {
  const response = await fetch(`${services.a.url}/run-service-b`, { headers: { Accept: 'application/json' } });
  const { reason } = (await response.json()) as { readonly reason?: unknown };
  return { status: response.status, reason, retryAfter: response.headers.get('retry-after') };
}

describe('a Service B that hangs (CC-09)', () => {
  it('receives only a few of 400 calls, and then only trial calls until Service B answers again', async () => {
    const running = Array.from({ length: 400 }, run);
    await Promise.race(running);
    expect(connections).toBeLessThanOrEqual(MOST_CALLS);
    const answers = await Promise.all(running);
    const of = (reason: string): readonly Answer[] => answers.filter((told) => told.reason === reason);
    // A busy machine may send some requests between the first time-outs and the opening of the circuit.
    const most = MOST_CALLS + FAILURES;
    expect(of('timeout').length).toBeLessThanOrEqual(most);
    expect(new Set(of('timeout').map(({ status }) => status))).toEqual(new Set([504]));
    expect(of('timeout').length + of('queue_full').length + of('circuit_open').length).toBe(400);
    expect(requests).toBeLessThanOrEqual(most);

    const before = requests;
    const later = await Promise.all(Array.from({ length: 50 }, run));
    const refused = later.filter(({ reason }) => reason === 'circuit_open');
    expect(refused.length).toBeGreaterThan(45);
    expect(requests - before).toBe(50 - refused.length);
    for (const { status, retryAfter } of refused) expect([status, retryAfter]).toEqual([503, '1']);

    answer = (_, response) =>
      response
        .setHeader('Content-Type', 'application/json')
        .end(JSON.stringify({ service_b: 'done', service_c: { result: 20, msg: 'well' } }));
    while ((await run()).status !== 200) await sleep(100);
    const again = await Promise.all(Array.from({ length: 50 }, run));
    expect(new Set(again.map(({ status }) => status))).toEqual(new Set([200]));
    expect(services.printed()).toContain('Circuit opened: calls to service-b are suspended');
  });
});

import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Worker } from 'node:worker_threads';
import { AuthorizationServerFetch } from '../authorization-server/authorization-server-fetch.js';
import { SERVER_CALL_RULES } from '../authorization-server/server-call-rules.js';
import { systemClock } from '../caching/clock.js';
import { Network } from '../http/network.js';
import type { CircuitState } from '../resilience/call-gate.js';
import { CallPolicy } from '../resilience/call-policy.js';
import { JsonTransport } from '../../spec-support/json-transport.js';
import { ServiceTransport } from './service-transport.js';
import { StreamingExchange } from './streaming-exchange.js';

/** Runs in a worker thread, to answer while this thread is busy. */
const SERVER = `
const { parentPort } = require('node:worker_threads');
const { createServer } = require('node:http');
const answer = (_, response) => setTimeout(() => response.setHeader('Content-Type', 'application/json').end('{}'), 50);
const server = createServer(answer).listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

const CALLS = 6;
const TIMEOUT_MS = 1000;
const bounds = {
  timeoutMs: TIMEOUT_MS,
  maxConcurrentCalls: 3,
  maxQueuedCalls: 10,
  maxRetries: 0,
  circuitBreakerFailures: 3,
  circuitBreakerPauseMs: 60_000,
};

let worker: Worker;
let baseUrl: string;
let states: CircuitState[];

beforeEach(async () => {
  states = [];
  worker = new Worker(SERVER, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  baseUrl = `http://127.0.0.1:${port}`;
});
afterEach(() => worker.terminate());

const onCircuit = (state: CircuitState): void => void states.push(state);
const options = () => ({ name: 'service-b', baseUrl, maxResponseBytes: 1024, ...bounds });

const CALLERS: Readonly<Record<string, () => () => Promise<unknown>>> = {
  'a service': () => {
    const transport = new JsonTransport(options(), undefined, systemClock, onCircuit);
    return () => transport.send({ method: 'POST', path: '/orders', body: '{}' });
  },
  'a service, as streams': () => {
    const transport = new ServiceTransport(options(), undefined, systemClock, onCircuit);
    const body = { open: () => '{}', isRepeatable: true };
    const request = { method: 'POST', url: `${baseUrl}/orders`, headers: {}, body, streams: false } as const;
    return () => transport.send(new StreamingExchange(request), '/orders', 'Bearer none');
  },
  'the authorization server': () => {
    const policy = new CallPolicy(bounds, SERVER_CALL_RULES, systemClock, onCircuit);
    const realmUrl = `${baseUrl}/realms/test`;
    const connections = new Network().toAuthorizationServer({ realmUrl, timeoutMs: TIMEOUT_MS });
    const { fetch } = new AuthorizationServerFetch({ issuer: realmUrl, realmUrl }, connections, () => policy);
    return () => fetch(`${realmUrl}/token`, { method: 'POST', body: 'grant_type=none' });
  },
};

/** Blocks the event loop in its check phase, so that timers run before any I/O. */
async function beBusy(ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      for (const untilMs = performance.now() + ms; performance.now() < untilMs;) continue;
      resolve();
    });
  });
}

describe('a process that is busy for longer than the time-out of its calls (CC-09)', () => {
  it.each(Object.entries(CALLERS))(
    'accepts responses of %s that arrived while the process was busy',
    async (_, callerOf) => {
      const call = callerOf();
      await Promise.all(Array.from({ length: bounds.maxConcurrentCalls }, call));
      const calls = Promise.allSettled(Array.from({ length: CALLS }, call));
      await beBusy(1.3 * TIMEOUT_MS);
      expect((await calls).slice(0, bounds.maxConcurrentCalls).map(({ status }) => status)).toEqual(
        Array.from({ length: bounds.maxConcurrentCalls }, () => 'fulfilled'),
      );
      expect(states).toEqual([]);
      await expect(call()).resolves.toBeDefined();
    },
  );
});

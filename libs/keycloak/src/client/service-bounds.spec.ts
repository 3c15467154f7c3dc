import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { JsonTransport, type PathRequest } from '../../spec-support/json-transport.js';
import { StillClock } from '../../spec-support/still-clock.js';
import type { CircuitState } from '../resilience/call-gate.js';
import { ServiceCallError } from './service-call-error.js';
import {
  ServiceTransport,
  type Exchange,
  type ServiceAnswer,
  type ServiceTransportOptions,
} from './service-transport.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

type Act = (response: ServerResponse, request: IncomingMessage) => unknown;
const hang: Act = () => undefined;
const answer =
  (status = 200, headers: Readonly<Record<string, string>> = {}): Act =>
  (response) =>
    response.writeHead(status, headers).end('{}');
const breakOff: Act = (response) =>
  response.writeHead(200, { 'Content-Length': '9' }).write('{', () => response.destroy());
const breakBefore: Act = (response) => response.destroy();

async function service(bounds: Partial<ServiceTransportOptions> = {}) {
  const seen = { requests: 0, sockets: 0 };
  let act = answer();
  let arrived = (): void => undefined;
  const server = createServer((request, response) => {
    seen.requests += 1;
    arrived();
    request.resume();
    act(response, request);
  }).listen(0, '127.0.0.1');
  server.on('connection', () => (seen.sockets += 1));
  servers.push(server);
  await once(server, 'listening');
  const states: CircuitState[] = [];
  const clock = new StillClock();
  const transport = new JsonTransport(
    {
      name: 'service-b',
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      timeoutMs: 10_000,
      maxResponseBytes: 1024,
      maxConcurrentCalls: 20,
      maxQueuedCalls: 500,
      circuitBreakerFailures: 10,
      circuitBreakerPauseMs: 1000,
      ...bounds,
    },
    undefined,
    clock,
    (state) => states.push(state),
  );
  return {
    seen,
    states,
    clock,
    does: (next: Act) => {
      act = next;
    },
    arrival: () => new Promise<void>((resolve) => (arrived = resolve)),
    call: async (bend: Partial<PathRequest> = {}): Promise<string> =>
      transport.send({ method: 'POST', path: '/api', body: '{}', ...bend }).then(
        ({ status }) => String(status),
        (error: unknown) => {
          if (error instanceof ServiceCallError) return `${error.code} ${error.reason}`;
          throw error;
        },
      ),
    failure: async (): Promise<unknown> =>
      transport.send({ method: 'GET', path: '/api' }).catch((error: unknown) => error),
  };
}

const times = (outcomes: readonly string[]): object => {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
};
const OPEN = 'service_unavailable circuit_open';
const FULL = 'service_unavailable queue_full';
const TIMEOUT = 'service_timeout timeout';

describe('a service that hangs', () => {
  it('receives at most maxConcurrentCalls connections, and no call after the circuit opens', async () => {
    const { seen, states, does, call } = await service({ timeoutMs: 3000 });
    does(hang);
    const calls = Array.from({ length: 400 }, () => call());
    await Promise.race(calls);
    expect(seen.sockets).toBeLessThanOrEqual(20);
    const outcomes = await Promise.all(calls);
    // On a slow machine, 20 more calls may be sent before the circuit breaker opens.
    expect([...new Set(outcomes)].filter((outcome) => ![TIMEOUT, OPEN, FULL].includes(outcome))).toEqual([]);
    expect(outcomes.filter((outcome) => outcome === TIMEOUT).length).toBeLessThanOrEqual(40);
    expect(outcomes).toContain(FULL);
    expect(states).toEqual(['open']);
    const { requests } = seen;
    expect(requests).toBeLessThanOrEqual(40);
    const after = await Promise.all(Array.from({ length: 400 }, () => call()));
    expect(times(after)).toEqual({ [OPEN]: 400 });
    expect(seen.requests).toBe(requests);
  });

  it('causes queue_full with Retry-After immediately if the queue of calls is full', async () => {
    const { does, call, failure, arrival } = await service({ maxConcurrentCalls: 1, maxQueuedCalls: 0 });
    const arrived = arrival();
    let finish = (): void => undefined;
    does((response) => {
      finish = () => response.end('{}');
    });
    const first = call();
    await arrived;
    expect(await failure()).toMatchObject({
      code: 'service_unavailable',
      reason: 'queue_full',
      httpStatus: 503,
      retryAfterSeconds: 1,
    });
    finish();
    expect(await first).toBe('200');
    does(answer());
    expect(await call()).toBe('200');
  });

  it('receives one trial call after the pause, and all calls after a successful trial call', async () => {
    const { seen, states, clock, does, call, arrival, failure } = await service({ circuitBreakerFailures: 1 });
    does(breakBefore);
    expect(await call()).toBe('service_unavailable UND_ERR_SOCKET');
    clock.advance(0.999);
    expect(await failure()).toMatchObject({ reason: 'circuit_open', httpStatus: 503, retryAfterSeconds: 1 });
    clock.advance(0.001);
    let finish = (): void => undefined;
    does((response) => {
      finish = () => response.end('{}');
    });
    const arrived = arrival();
    const trial = call();
    const others = await Promise.all(Array.from({ length: 50 }, () => call()));
    expect(times(others)).toEqual({ [OPEN]: 50 });
    await arrived;
    finish();
    expect(await trial).toBe('200');
    does(answer());
    expect(times(await Promise.all(Array.from({ length: 50 }, () => call())))).toEqual({ '200': 50 });
    expect([seen.requests, states]).toEqual([52, ['open', 'half-open', 'closed']]);
  });

  it('receives no further call after the caller has aborted the trial call', async () => {
    const { states, clock, does, call, arrival } = await service({ circuitBreakerFailures: 1 });
    does(breakBefore);
    await call();
    clock.advance(1);
    does(hang);
    const reason = new Error('no longer wanted');
    const abort = new AbortController();
    const arrived = arrival();
    const trial = call({ signal: abort.signal });
    await arrived;
    abort.abort(reason);
    await expect(trial).rejects.toBe(reason);
    expect(states).toEqual(['open', 'half-open', 'open']);
    expect(await call()).toBe(OPEN);
  });

  it('receives no call from a queued caller that has aborted', async () => {
    const { seen, does, call, arrival } = await service({ maxConcurrentCalls: 1, maxQueuedCalls: 1 });
    let finish = (): void => undefined;
    does((response) => {
      finish = () => response.end('{}');
    });
    const arrived = arrival();
    const first = call();
    await arrived;
    const reason = new Error('no longer wanted');
    const abort = new AbortController();
    const waiting = call({ signal: abort.signal });
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    const next = call();
    does(answer());
    finish();
    expect([await first, await next, seen.requests]).toEqual(['200', '200', 2]);
  });
});

describe('the circuit to a service', () => {
  it.each<[string, Act, string]>([
    ['a connection that breaks', breakBefore, 'service_unavailable UND_ERR_SOCKET'],
    ['an answer that breaks off', breakOff, 'service_failed answer_broken_off'],
    ['502', answer(502), '502'],
    ['503', answer(503), '503'],
    ['504', answer(504), '504'],
  ])('opens after several failures in a row: %s', async (_, act, outcome) => {
    const { seen, does, call } = await service({ circuitBreakerFailures: 3 });
    does(act);
    expect([await call(), await call()]).toEqual([outcome, outcome]);
    does(answer());
    expect(await call()).toBe('200');
    does(act);
    for (let at = 0; at < 3; at += 1) expect(await call()).toBe(outcome);
    expect([await call(), seen.requests]).toEqual([OPEN, 6]);
  });

  it.each([400, 401, 403, 404, 409, 422, 429, 500, 501])(
    'stays closed however often the service answers %i',
    async (status) => {
      const { states, does, call } = await service({ circuitBreakerFailures: 1 });
      does(answer(status));
      for (let at = 0; at < 5; at += 1) expect(await call()).toBe(String(status));
      expect(states).toEqual([]);
    },
  );

  it.each([
    [502, 'service_failed'],
    [502, 'service_refused'],
    [503, 'service_unavailable'],
    [504, 'service_timeout'],
    [502, 'authorization_server_refused'],
    [503, 'authorization_server_unavailable'],
  ])('stays closed if the service answers %i because a server behind it failed (%s)', async (status, code) => {
    const { states, does, call } = await service({ circuitBreakerFailures: 1 });
    does((response) => response.writeHead(status).end(JSON.stringify({ error: 'Another one', code })));
    for (let at = 0; at < 5; at += 1) expect(await call()).toBe(String(status));
    expect(states).toEqual([]);
  });

  it('stays closed if an answer is HTML or too large, or if a call is aborted or has an invalid path', async () => {
    const { states, does, call } = await service({ circuitBreakerFailures: 1 });
    does((response) => response.end('x'.repeat(2000)));
    expect(await call()).toBe('service_failed answer_too_large');
    does((response) => response.end('<html>'));
    expect(await call()).toBe('service_failed answer_not_json');
    does(hang);
    await expect(call({ signal: AbortSignal.timeout(20) })).rejects.toThrow('timeout');
    await expect(call({ path: 'no slash' })).rejects.toThrow(TypeError);
    expect(states).toEqual([]);
  });

  it('stays closed if this process was busy and therefore sent a queued call late', async () => {
    const { seen, states, clock, does, call, arrival } = await service({
      circuitBreakerFailures: 1,
      maxConcurrentCalls: 1,
    });
    let finish = (): void => undefined;
    does((response) => {
      finish = () => response.end('{}');
    });
    const arrived = arrival();
    const first = call();
    await arrived;
    const late = call();
    does(answer());
    clock.advance(11);
    finish();
    expect([await first, await late, seen.requests]).toEqual(['200', '200', 2]);
    expect(states).toEqual([]);
  });

  it('stays open for the time that Retry-After names, but at most 30 seconds', async () => {
    for (const [retryAfter, pauseMs] of [
      ['7', 7000],
      ['3600', 30_000],
      ['Wed, 21 Oct 2015 07:28:07 GMT', 7000],
    ] as const) {
      const { clock, does, call } = await service({ circuitBreakerFailures: 1 });
      does(answer(503, { 'Retry-After': retryAfter, Date: 'Wed, 21 Oct 2015 07:28:00 GMT' }));
      expect(await call()).toBe('503');
      does(answer());
      clock.advance((pauseMs - 1) / 1000);
      expect(await call()).toBe(OPEN);
      clock.advance(0.001);
      expect(await call()).toBe('200');
    }
  });
});

describe('a trial call that waited for a slot', () => {
  it('has the rest of its own time-out', async () => {
    const clock = new StillClock();
    const transport = new ServiceTransport(
      {
        name: 'service-b',
        baseUrl: 'http://127.0.0.1',
        timeoutMs: 3000,
        maxResponseBytes: 1024,
        maxConcurrentCalls: 1,
        maxQueuedCalls: 1,
        circuitBreakerFailures: 1,
        circuitBreakerPauseMs: 1000,
      },
      undefined,
      clock,
    );
    const common = { method: 'POST', signal: undefined, ownsSignal: false, isRepeatable: false };
    let endBody = (): void => undefined;
    const body = new Promise<void>((resolve) => (endBody = resolve));
    const headOf = async (status: number) => Promise.resolve({ status, headers: {}, body: undefined });
    const failed = { ...common, timeoutMs: undefined, send: async () => headOf(503), over: async () => body };
    const given: number[] = [];
    const waiting: Exchange<ServiceAnswer> = {
      ...common,
      timeoutMs: 20_000,
      send: async (_target, timeoutMs) => {
        given.push(timeoutMs);
        return headOf(200);
      },
      over: undefined,
    };
    const path = transport.paths.below('/api');
    const sent = [transport.send(failed, path), transport.send(waiting, path)];
    await sent[0];
    clock.advance(5);
    endBody();
    await sent[1];
    expect(given).toEqual([15_000]);
  });
});

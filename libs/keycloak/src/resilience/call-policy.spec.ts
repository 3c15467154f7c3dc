import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SERVER_CALL_RULES } from '../authorization-server/server-call-rules.js';
import { systemClock } from '../caching/clock.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import type { CircuitState } from './call-gate.js';
import { CallPolicy, type CallPolicyOptions } from './call-policy.js';

const OPTIONS: CallPolicyOptions = {
  timeoutMs: 2000,
  maxConcurrentCalls: 2,
  maxQueuedCalls: 3,
  maxRetries: 2,
  circuitBreakerFailures: 1000,
  circuitBreakerPauseMs: 100,
};

const unavailable = (reason: AuthorizationServerErrorReason = 'ECONNRESET', retryAfterSeconds?: number) =>
  new AuthorizationServerError('authorization_server_unavailable', {
    reason,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
const refused = new AuthorizationServerError('authorization_server_refused', { reason: 'answered_401_invalid_client' });

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] }));
afterEach(() => void jest.useRealTimers());

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const [result] = await Promise.all([work, jest.advanceTimersByTimeAsync(ms)]);
  return result;
}

const later = async <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => setTimeout(resolve, ms, value));

function server(options: Partial<CallPolicyOptions> = {}, clock = systemClock) {
  const states: CircuitState[] = [];
  const policy = new CallPolicy({ ...OPTIONS, ...options }, SERVER_CALL_RULES, clock, (state) => states.push(state));
  const acts: (() => unknown)[] = [];
  const seen = { calls: 0, running: 0, most: 0 };
  return {
    states,
    seen,
    does: (...next: unknown[]) => {
      acts.splice(
        0,
        acts.length,
        ...next.map((act) => (typeof act === 'function' ? (act as () => unknown) : () => act)),
      );
    },
    ask: async (prepare: () => Promise<unknown> = async () => undefined): Promise<unknown> =>
      policy.run(prepare, async () => {
        seen.calls += 1;
        seen.running += 1;
        seen.most = Math.max(seen.most, seen.running);
        try {
          const [act] = acts.length > 1 ? acts.splice(0, 1) : acts;
          const result = await act?.();
          if (result instanceof Error) throw result;
          return result;
        } finally {
          seen.running -= 1;
        }
      }),
  };
}

const outcome = async (asking: Promise<unknown>): Promise<unknown> =>
  asking.catch((error: AuthorizationServerError) => `${error.code} ${error.reason}`);
const UNAVAILABLE = 'authorization_server_unavailable';

describe('the bulkhead (RS-16, CC-09)', () => {
  it('limits the running and the queued calls, and immediately refuses all other calls', async () => {
    const { ask, does, seen } = server();
    does(async () => later(20, 'done'));
    const outcomes = await within(60, Promise.all(Array.from({ length: 8 }, async () => outcome(ask()))));
    expect(outcomes.filter((result) => result === 'done')).toHaveLength(5);
    expect(outcomes.filter((result) => result === `${UNAVAILABLE} queue_full`)).toHaveLength(3);
    expect(seen).toEqual({ calls: 5, running: 0, most: 2 });
  });

  it('rejects a call that has waited for half of timeoutMs, and does not count a failure', async () => {
    const { ask, does, seen, states } = server({
      maxConcurrentCalls: 1,
      maxQueuedCalls: 100,
      timeoutMs: 400,
      circuitBreakerFailures: 1,
    });
    does(async () => later(90, 'slow, but well'));
    const outcomes = await within(400, Promise.all(Array.from({ length: 20 }, async () => outcome(ask()))));
    expect(outcomes).toEqual([
      ...Array<string>(3).fill('slow, but well'),
      ...Array<string>(17).fill(`${UNAVAILABLE} queue_full`),
    ]);
    expect(seen.calls).toBe(3);
    expect(states).toEqual([]);
  });

  it('never makes a call that has waited past its deadline', async () => {
    const { ask, does, seen } = server({ maxConcurrentCalls: 1, timeoutMs: 100 });
    does(async () => later(250, 'late'));
    const outcomes = await within(100, Promise.all([outcome(ask()), outcome(ask()), outcome(ask())]));
    const noSlot = `${UNAVAILABLE} queue_full`;
    expect(outcomes).toEqual([`${UNAVAILABLE} timeout`, noSlot, noSlot]);
    await jest.advanceTimersByTimeAsync(300);
    expect(seen.calls).toBe(1);
  });
});

describe('the deadline (CC-09)', () => {
  it('covers the preparation of a call, although the preparation occupies no slot of the bulkhead', async () => {
    const { ask, seen } = server({ timeoutMs: 100 });
    const never = async (): Promise<unknown> => new Promise(() => undefined);
    const outcomes = await within(100, Promise.all(Array.from({ length: 10 }, async () => outcome(ask(never)))));
    expect(outcomes).toEqual(Array(10).fill(`${UNAVAILABLE} timeout`));
    expect(seen.calls).toBe(0);
  });

  it('ends the wait for a call that ignores its signal', async () => {
    const { ask, does } = server({ timeoutMs: 100 });
    does(async () => new Promise(() => undefined));
    expect(await within(100, outcome(ask()))).toBe(`${UNAVAILABLE} timeout`);
  });
});

describe('retries (CC-09)', () => {
  it.each(['ECONNREFUSED', 'answered_429_other'] as const)(
    'end with %s if it opened the circuit that the retry met',
    async (reason) => {
      const { ask, does, seen } = server({ circuitBreakerFailures: 1, circuitBreakerPauseMs: 1000 });
      does(unavailable(reason));
      expect(await within(900, outcome(ask()))).toBe(`${UNAVAILABLE} ${reason}`);
      expect(seen.calls).toBe(1);
      expect(await outcome(ask())).toBe(`${UNAVAILABLE} circuit_open`);
    },
  );

  it('recover from transient failures', async () => {
    const { ask, does, seen } = server();
    does(unavailable('ECONNRESET'), unavailable('answered_503_other'), 'good');
    expect(await within(300, ask())).toBe('good');
    expect(seen.calls).toBe(3);
  });

  it('end with the last failure', async () => {
    const { ask, does, seen } = server();
    does(unavailable('ECONNRESET'), unavailable('ECONNREFUSED'), unavailable('EPIPE'));
    expect(await within(300, outcome(ask()))).toBe(`${UNAVAILABLE} EPIPE`);
    expect(seen.calls).toBe(3);
  });

  it('are not made after a refusal or a programming error', async () => {
    for (const error of [refused, new TypeError('a bug')]) {
      const { ask, does, seen } = server();
      does(error);
      await expect(ask()).rejects.toBe(error);
      expect(seen.calls).toBe(1);
    }
  });

  it('wait for the time in Retry-After, unless this time is at least half of timeoutMs', async () => {
    const patient = server({ timeoutMs: 3000 });
    const times: number[] = [];
    patient.does(
      () => times.push(performance.now()) && unavailable('answered_503_other', 1),
      () => times.push(performance.now()),
    );
    await within(1000, patient.ask());
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBe(1000);

    const hurried = server();
    hurried.does(unavailable('answered_429_other', 2));
    await expect(hurried.ask()).rejects.toMatchObject({ reason: 'answered_429_other', retryAfterSeconds: 2 });
    expect(hurried.seen.calls).toBe(1);
  });

  it('increase the number of calls by at most about a tenth when all calls fail', async () => {
    const { ask, does, seen } = server({ maxConcurrentCalls: 100, maxQueuedCalls: 1000 });
    does(unavailable());
    const first = 300;
    for (let round = 0; round < 3; round += 1) {
      await within(300, Promise.all(Array.from({ length: first / 3 }, async () => outcome(ask()))));
    }
    expect(seen.calls).toBeGreaterThan(first);
    expect(seen.calls).toBeLessThanOrEqual(first * 1.1 + 5);
  });
});

describe('the circuit breaker (CC-09)', () => {
  const failing = { circuitBreakerFailures: 3, maxRetries: 0 };
  const clockOf = () => {
    const clock = { ms: 0, monotonicMs: () => clock.ms, epochSeconds: () => clock.ms / 1000 };
    return clock;
  };

  it('opens after several failures in a row, and then makes no calls', async () => {
    const { ask, does, seen, states } = server(failing, clockOf());
    does(unavailable(), unavailable(), 'good', unavailable());
    for (let at = 0; at < 20; at += 1) await outcome(ask());
    expect(seen.calls).toBe(6);
    expect(states).toEqual(['open']);
    await expect(ask()).rejects.toMatchObject({ code: UNAVAILABLE, reason: 'circuit_open', retryAfterSeconds: 1 });
  });

  it('lets a single call through after its pause, and closes when the call succeeds', async () => {
    const clock = clockOf();
    const { ask, does, seen, states } = server(failing, clock);
    does(unavailable());
    for (let at = 0; at < 4; at += 1) await outcome(ask());
    does(async () => later(20, 'good'));
    clock.ms = 99;
    expect(await outcome(ask())).toBe(`${UNAVAILABLE} circuit_open`);
    clock.ms = 100;
    const probe = outcome(ask());
    const others = [outcome(ask()), outcome(ask())];
    await jest.advanceTimersByTimeAsync(19);
    expect(seen.calls).toBe(4);
    expect(await within(21, Promise.all([probe, ...others]))).toEqual(['good', 'good', 'good']);
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });

  it('rejects a waiting call if the trial call takes more than half of timeoutMs', async () => {
    const { ask, does, seen, states } = server({ ...failing, timeoutMs: 400, maxConcurrentCalls: 10 });
    does(unavailable());
    for (let at = 0; at < 3; at += 1) await outcome(ask());
    await jest.advanceTimersByTimeAsync(100);
    does(async () => later(300, 'good'));
    const outcomes = await within(400, Promise.all(Array.from({ length: 8 }, async () => outcome(ask()))));
    expect(outcomes).toEqual(['good', ...Array<string>(7).fill(`${UNAVAILABLE} queue_full`)]);
    expect([seen.calls, states]).toEqual([4, ['open', 'half-open', 'closed']]);
  });

  it('suspends calls for another pause if the trial call fails', async () => {
    const clock = clockOf();
    const { ask, does, seen } = server(failing, clock);
    does(unavailable());
    for (let at = 0; at < 4; at += 1) await outcome(ask());
    clock.ms = 100;
    await outcome(ask());
    expect(await outcome(ask())).toBe(`${UNAVAILABLE} circuit_open`);
    clock.ms = 200;
    does('good');
    expect(await ask()).toBe('good');
    expect(seen.calls).toBe(5);
  });

  it('stays open for the time that Retry-After names, but at most 30 seconds', async () => {
    for (const [retryAfter, pauseMs] of [
      [7, 7000],
      [300, 30_000],
    ] as const) {
      const clock = clockOf();
      const { ask, does } = server(failing, clock);
      does(unavailable('answered_429_other', retryAfter));
      for (let at = 0; at < 3; at += 1) await outcome(ask());
      does('good');
      clock.ms = pauseMs - 1;
      expect(await outcome(ask())).toBe(`${UNAVAILABLE} circuit_open`);
      clock.ms = pauseMs;
      expect(await ask()).toBe('good');
    }
  });

  it('never opens because of refusals', async () => {
    const clock = clockOf();
    const { ask, does, seen } = server(failing, clock);
    does(refused);
    for (let at = 0; at < 10; at += 1) await outcome(ask());
    expect(seen.calls).toBe(10);
  });

  it('restarts its count of failures after a refusal, even if this refusal closed the circuit', async () => {
    const clock = clockOf();
    const { ask, does, states } = server(failing, clock);
    for (let at = 0; at < 5; at += 1) {
      does(unavailable(), unavailable(), refused);
      for (let call = 0; call < 3; call += 1) await outcome(ask());
    }
    expect(states).toEqual([]);
    does(unavailable());
    for (let at = 0; at < 3; at += 1) await outcome(ask());
    clock.ms = 100;
    does(refused, unavailable(), unavailable(), 'good');
    for (let at = 0; at < 4; at += 1) await outcome(ask());
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });

  it('fails all queued calls when the circuit opens', async () => {
    const { ask, does, seen } = server({ ...failing, maxConcurrentCalls: 3, maxQueuedCalls: 100 }, clockOf());
    does(async () => later(20, unavailable()));
    const outcomes = await within(100, Promise.all(Array.from({ length: 50 }, async () => outcome(ask()))));
    expect(seen.calls).toBeLessThan(6);
    expect(outcomes.filter((result) => result === `${UNAVAILABLE} circuit_open`)).toHaveLength(50 - seen.calls);
  });
});

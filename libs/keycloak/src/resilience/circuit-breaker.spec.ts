import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../caching/clock.js';
import { CircuitBreaker, CircuitOpenError, type Outcome, type Settled } from './circuit-breaker.js';

const FAILURE: Outcome = { retryAfterMs: 0 };
const outcomeOf = (settled: Settled<string>): Outcome => ('error' in settled ? FAILURE : 'harmless');

function breakerOf(circuitBreakerFailures: number) {
  let ms = 0;
  const states: string[] = [];
  const clock = { ...systemClock, monotonicMs: () => ms };
  const options = { circuitBreakerFailures, circuitBreakerPauseMs: 100, timeoutMs: 1000 };
  const breaker = new CircuitBreaker(options, clock, (state) => states.push(state));
  const pause = (pauseMs = 100): void => void (ms += pauseMs);
  return { states, pause, breaker, run: (call: () => Promise<string>) => breaker.run(call, outcomeOf) };
}

const fails = (): Promise<string> => Promise.reject(new Error('down'));

describe('a call that ends after the circuit has opened', () => {
  it('has no effect on the circuit during the trial call', async () => {
    const { states, pause, run } = breakerOf(1);
    let fail = (): void => undefined;
    let succeed = (): void => undefined;
    let finishTrial = (): void => undefined;
    const late = [
      run(() => new Promise((_, reject) => (fail = () => reject(new Error('late'))))),
      run(() => new Promise((resolve) => (succeed = () => resolve('late')))),
    ];
    await expect(run(fails)).rejects.toThrow('down');
    pause();
    const trial = run(() => new Promise((resolve) => (finishTrial = () => resolve('good'))));
    succeed();
    fail();
    await Promise.allSettled(late);
    expect(states).toEqual(['open', 'half-open']);
    finishTrial();
    await expect(trial).resolves.toBe('good');
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });
});

it('a late failure of a call from before the pause does not open the circuit again', async () => {
  const { states, pause, run } = breakerOf(1);
  let fail = (): void => undefined;
  const late = run(() => new Promise((_, reject) => (fail = () => reject(new Error('late')))));
  await expect(run(fails)).rejects.toThrow('down');
  pause();
  await run(() => Promise.resolve('good'));
  fail();
  await expect(late).rejects.toThrow('late');
  expect(states).toEqual(['open', 'half-open', 'closed']);
});

it('the circuit breaker counts a trial call as failed if the check of the result throws an error', async () => {
  const breaker = new CircuitBreaker(
    { circuitBreakerFailures: 1, circuitBreakerPauseMs: 0, timeoutMs: 1000 },
    systemClock,
    () => undefined,
  );
  await expect(breaker.run(fails, outcomeOf)).rejects.toThrow('down');
  const faulty = breaker.run(
    () => Promise.resolve('good'),
    () => {
      throw new Error('the rules');
    },
  );
  await expect(faulty).rejects.toThrow('the rules');
  await expect(breaker.run(() => Promise.resolve('good'), outcomeOf)).resolves.toBe('good');
});

describe('calls during the trial call', () => {
  it('wait for the trial call, and fail if the trial call fails', async () => {
    const { pause, run } = breakerOf(1);
    await expect(run(fails)).rejects.toThrow('down');
    pause();
    const [trial, waiting] = await Promise.allSettled([run(fails), run(() => Promise.resolve('not made'))]);
    expect(trial).toMatchObject({ reason: { message: 'down' } });
    expect(waiting).toEqual({ status: 'rejected', reason: expect.any(CircuitOpenError) });
  });
});

describe('a trial call that takes longer than twice timeoutMs', () => {
  async function withLongTrial() {
    const { states, pause, breaker, run } = breakerOf(1);
    await expect(run(fails)).rejects.toThrow('down');
    pause();
    let succeed = (): void => undefined;
    let fail = (): void => undefined;
    const trial = run(
      () =>
        new Promise((resolve, reject) => {
          succeed = () => resolve('long');
          fail = () => reject(new Error('long'));
        }),
    );
    pause(1999);
    expect(breaker.isSuspended).toBe(true);
    pause(1);
    expect(breaker.isSuspended).toBe(false);
    return { states, run, trial, succeed: () => succeed(), fail: () => fail() };
  }

  it('lets another call become the trial call, and its own late failure has no effect', async () => {
    const { states, run, trial, fail } = await withLongTrial();
    await expect(run(() => Promise.resolve('good'))).resolves.toBe('good');
    fail();
    await expect(trial).rejects.toThrow('long');
    expect(states).toEqual(['open', 'half-open', 'half-open', 'closed']);
  });

  it('closes the circuit by a late success, also during another trial call', async () => {
    const { states, run, trial, succeed } = await withLongTrial();
    let fail = (): void => undefined;
    const other = run(() => new Promise((_, reject) => (fail = () => reject(new Error('other')))));
    succeed();
    await expect(trial).resolves.toBe('long');
    await expect(run(() => Promise.resolve('not held back'))).resolves.toBe('not held back');
    fail();
    await expect(other).rejects.toThrow('other');
    expect(states).toEqual(['open', 'half-open', 'half-open', 'closed']);
  });
});

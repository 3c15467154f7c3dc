import { describe, expect, it } from '@jest/globals';
import { Flights } from './flights.js';

function work() {
  const begun: PromiseWithResolvers<string>[] = [];
  const start = async (): Promise<string> => {
    const run = withResolvers<string>();
    begun.push(run);
    return run.promise;
  };
  return { begun, start };
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}

describe('Flights', () => {
  it('makes one call for all concurrent callers of a key', async () => {
    const { begun, start } = work();
    const flights = new Flights<string>();
    const waiting = Array.from({ length: 100 }, () => flights.run('k', start));
    begun[0]?.resolve('v');
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['v']));
    expect(begun).toHaveLength(1);
  });

  it('shares no call between keys', async () => {
    const { begun, start } = work();
    const flights = new Flights<string>();
    const waiting = [flights.run('a', start), flights.run('b', start)];
    begun[0]?.resolve('A');
    begun[1]?.resolve('B');
    expect(await Promise.all(waiting)).toEqual(['A', 'B']);
  });

  it('starts a new call after the previous call has finished', async () => {
    const { begun, start } = work();
    const flights = new Flights<string>();
    const first = flights.run('k', start);
    begun[0]?.resolve('old');
    await first;
    const second = flights.run('k', start);
    begun[1]?.resolve('new');
    expect(await second).toBe('new');
  });

  it('shares a failure with concurrent callers, and does not cache the failure', async () => {
    const { begun, start } = work();
    const flights = new Flights<string>();
    const waiting = [flights.run('k', start), flights.run('k', start)];
    begun[0]?.reject(new Error('down'));
    expect(await Promise.allSettled(waiting)).toMatchObject([
      { status: 'rejected', reason: { message: 'down' } },
      { status: 'rejected', reason: { message: 'down' } },
    ]);
    const later = flights.run('k', start);
    begun[1]?.resolve('v');
    expect(await later).toBe('v');
  });

  it('turns a synchronous throw into a rejected promise', async () => {
    const flights = new Flights<string>();
    const failed = flights.run('k', () => {
      throw new Error('at once');
    });
    await expect(failed).rejects.toThrow('at once');
    await expect(flights.run('k', async () => 'v')).resolves.toBe('v');
  });
});

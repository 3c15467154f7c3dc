import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CachedIntrospection } from '../authorization-server/cached-introspection.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import { StillClock } from '../../spec-support/still-clock.js';
import { INTROSPECTION_CHANNEL, type IntrospectionMessage } from './introspection-channel.js';

const OPTIONS = {
  issuer: 'https://sso.example.com/realms/shop',
  clientId: 'service-b',
  introspectionTtlSeconds: 10,
  maxCachedIntrospections: 3,
};
const TOKEN = 'the-text-of-a-token';

const request = new AsyncLocalStorage<string>();
let told: { readonly by: string | undefined; readonly message: IntrospectionMessage }[];
let answers: ((answer: IntrospectionAnswer | Error) => void)[];
let clock: StillClock;
let reads: number;
let cache: CachedIntrospection;

const listen = (message: unknown): void =>
  void told.push({ by: request.getStore(), message: message as IntrospectionMessage });

beforeEach(() => {
  told = [];
  answers = [];
  clock = new StillClock();
  const introspect = (): Promise<IntrospectionAnswer> =>
    new Promise((resolve, reject) =>
      answers.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer))),
    );
  reads = 0;
  const monotonicMs = (): number => {
    reads += 1;
    return clock.monotonicMs();
  };
  const counted = { epochSeconds: clock.epochSeconds, monotonicMs };
  cache = new CachedIntrospection({ introspect, renew: introspect }, OPTIONS, counted, () => undefined);
  subscribe(INTROSPECTION_CHANNEL, listen);
});
afterEach(() => void unsubscribe(INTROSPECTION_CHANNEL, listen));

const ask = (by: string): Promise<IntrospectionAnswer> =>
  request.run(by, async () => cache.introspect(TOKEN, Infinity));
const active = { active: true, sub: 'alice', exp: Infinity };

describe('the introspection channel', () => {
  it('reports for each request whether it introspected, joined an introspection or used the cache', async () => {
    const both = [ask('first'), ask('second')];
    clock.advance(0.25);
    answers[0]?.({ ...active, exp: clock.epochSeconds() + 100 });
    await Promise.all(both);
    await ask('third');
    expect(told).toEqual([
      { by: 'first', message: { issuer: OPTIONS.issuer, outcome: 'asked', active: true, durationMs: 250 } },
      { by: 'second', message: { issuer: OPTIONS.issuer, outcome: 'joined', active: true, durationMs: 250 } },
      { by: 'third', message: { issuer: OPTIONS.issuer, outcome: 'cached', active: true, durationMs: 0 } },
    ]);
  });

  it('reports inactive tokens and failed introspections', async () => {
    const refused = ask('first');
    answers[0]?.({ active: false });
    await refused;
    clock.advance(60);
    const failed = ask('second');
    answers[1]?.(new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' }));
    await expect(failed).rejects.toThrow(AuthorizationServerError);
    const broken = ask('third');
    answers[2]?.(new TypeError('a bug'));
    await expect(broken).rejects.toThrow('a bug');
    expect(told.map(({ message }) => message)).toEqual([
      { issuer: OPTIONS.issuer, outcome: 'asked', active: false, durationMs: 0 },
      { issuer: OPTIONS.issuer, outcome: 'asked', failed: 'authorization_server_unavailable', durationMs: 0 },
      { issuer: OPTIONS.issuer, outcome: 'asked', failed: 'unexpected', durationMs: 0 },
    ]);
  });

  it('does not report a background renewal', async () => {
    const first = ask('first');
    answers[0]?.({ ...active, exp: clock.epochSeconds() + 100 });
    await first;
    clock.advance(9.9);
    await ask('second');
    expect(answers).toHaveLength(2);
    answers[1]?.(active);
    await new Promise(setImmediate);
    expect(told.map(({ message }) => message.outcome)).toEqual(['asked', 'cached']);
  });

  it('publishes frozen messages without tokens or user data', async () => {
    const first = ask('first');
    answers[0]?.(active);
    await first;
    expect(JSON.stringify(told)).not.toMatch(/the-text|alice/);
    expect(Object.isFrozen(told[0]?.message)).toBe(true);
  });

  it('does not measure the duration without a subscriber', async () => {
    unsubscribe(INTROSPECTION_CHANNEL, listen);
    const first = ask('first');
    answers[0]?.({ ...active, exp: clock.epochSeconds() + 100 });
    await first;
    reads = 0;
    await ask('second');
    expect(reads).toBe(1);
    expect(told).toEqual([]);
  });
});

import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CallObservation } from '../client/call-observation.js';
import { ServiceClient } from '../client/service-client.js';
import { ServiceTransport } from '../client/service-transport.js';
import { sendStreaming } from '../client/streaming-call.js';
import { TokenSource } from '../client/token-source.js';
import { TokenSourceLog } from '../client/token-source-log.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { IssuedToken } from '../protocol/issued-token.js';
import { breakOff, CALL_BOUNDS, hang, html, json, NextService, raw } from '../../spec-support/next-service.js';
import { StillClock } from '../../spec-support/still-clock.js';
import { endpointOf } from '../../spec-support/token-forms.js';
import { SERVICE_CALL_CHANNEL, type ServiceCallMessage } from './service-call-channel.js';
import { audience } from '../../spec-support/one-issuer.js';

const PATH = '/orders/nobody-elses-business';
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const SOURCE = { issuer: 'https://sso.example.com/realms/shop', clientId: 'service-a' };

const request = new AsyncLocalStorage<string>();
let told: { readonly by: string | undefined; readonly message: ServiceCallMessage }[];
let next: NextService;
let clock: StillClock;
let reads: number;
let token: () => Promise<IssuedToken>;
let client: ServiceClient;
let observation: CallObservation;
let tokens: TokenSource;

const listen = (message: unknown): void =>
  void told.push({ by: request.getStore(), message: message as ServiceCallMessage });

beforeEach(async () => {
  told = [];
  reads = 0;
  clock = new StillClock();
  let issued = 0;
  token = async () => new IssuedToken(`the-text-of-token-${(issued += 1)}`, ['orders.approve'], 100);
  const counted = {
    epochSeconds: clock.epochSeconds,
    monotonicMs: () => {
      reads += 1;
      return clock.monotonicMs();
    },
  };
  tokens = new TokenSource(
    endpointOf(() => token()),
    { ...SOURCE, minRemainingLifetimeSeconds: 10, maxCachedTokens: 9 },
    clock,
    new TokenSourceLog({ log: () => undefined }),
    { denies: () => false },
  );
  next = await NextService.start();
  observation = new CallObservation(counted);
  client = clientOf();
  subscribe(SERVICE_CALL_CHANNEL, listen);
});
afterEach(async () => {
  unsubscribe(SERVICE_CALL_CHANNEL, listen);
  await next.stop();
});

const options = () => ({
  name: 'service-b',
  baseUrl: next.url,
  timeoutMs: 60_000,
  maxResponseBytes: 10_000,
  ...CALL_BOUNDS,
});
const clientOf = (bounds = {}): ServiceClient =>
  new ServiceClient(
    'service-b',
    audience('service-b'),
    new ServiceTransport({ ...options(), ...bounds }),
    tokens,
    undefined,
    observation,
  );
const get = (by: string, signal?: AbortSignal): Promise<unknown> =>
  request.run(by, async () => client.asService('orders.approve').get(PATH, signal === undefined ? {} : { signal }));

const CALL = { service: 'service-b', method: 'GET' };

describe('the service call channel', () => {
  it('reports the status and duration of each call, in the async context of the caller', async () => {
    next.answer(PATH, (response) => {
      clock.advance(0.25);
      json({}, next.requests.length === 1 ? 200 : 404)(response, next.requests[0] as never);
    });
    await get('first');
    await expect(get('second')).rejects.toMatchObject({ code: 'service_failed' });
    expect(told).toEqual([
      { by: 'first', message: { ...CALL, outcome: 'answered', status: 200, durationMs: 250 } },
      { by: 'second', message: { ...CALL, outcome: 'answered', status: 404, durationMs: 250 } },
    ]);
  });

  it('reports a call only once if it was repeated with a renewed token', async () => {
    next.answerInTurn(PATH, raw(401, '', { 'WWW-Authenticate': 'Bearer error="invalid_token"' }), json({}));
    await get('first');
    expect(next.requests).toHaveLength(2);
    expect(told.map(({ message }) => message.status)).toEqual([200]);
  });

  it.each([
    ['never arrived', breakOff, { failed: 'service_unavailable', reason: 'UND_ERR_SOCKET' }],
    ['is not JSON', html, { failed: 'service_failed', reason: 'answer_not_json', status: 200 }],
  ])('reports the code and reason of a call whose answer %s', async (_, script, how) => {
    next.answer(PATH, script);
    await expect(get('first')).rejects.toMatchObject({ code: how.failed });
    expect(told[0]?.message).toEqual({ ...CALL, outcome: 'failed', ...how, durationMs: 0 });
  });

  it('reports a call that was not sent because its token request failed or the circuit is open', async () => {
    const failing = token;
    token = () =>
      Promise.reject(new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' }));
    await expect(get('first')).rejects.toMatchObject({ reason: 'timeout' });
    token = failing;
    client = clientOf({ circuitBreakerFailures: 1 });
    next.answer(PATH, breakOff);
    await expect(get('second')).rejects.toMatchObject({ reason: 'UND_ERR_SOCKET' });
    await expect(get('third')).rejects.toMatchObject({ reason: 'circuit_open' });
    expect(told.map(({ message: { outcome, failed, reason } }) => [outcome, failed, reason])).toEqual([
      ['failed', 'authorization_server_unavailable', 'timeout'],
      ['failed', 'service_unavailable', 'UND_ERR_SOCKET'],
      ['failed', 'service_unavailable', 'circuit_open'],
    ]);
  });

  it('reports an aborted call, and an unexpected error', async () => {
    const [abort, enough] = [new AbortController(), new Error('enough')];
    next.answer(PATH, (response, received) => {
      hang(response, received);
      abort.abort(enough);
    });
    await expect(get('first', abort.signal)).rejects.toBe(enough);
    token = () => Promise.reject(new TypeError('nobody foresaw this'));
    await expect(client.asService('inventory.adjust').get(PATH)).rejects.toThrow(TypeError);
    expect(told.map(({ message }) => message)).toEqual([
      { ...CALL, outcome: 'given_up', durationMs: 0 },
      { ...CALL, outcome: 'failed', failed: 'unexpected', durationMs: 0 },
    ]);
  });

  it('reports a streaming call when its response begins', async () => {
    next.answer(PATH, raw(200, 'a document'));
    const body = { open: () => undefined, isRepeatable: true };
    const head = { method: 'HEAD', url: next.url + PATH, headers: {}, body, streams: false } as const;
    const { response } = await sendStreaming(client.asService('orders.approve'), head);
    await response.over;
    expect(told[0]?.message).toEqual({ ...CALL, method: 'HEAD', outcome: 'answered', status: 200, durationMs: 0 });
  });

  it('publishes frozen messages without tokens or content', async () => {
    next.answer(PATH, json({ answer: 'nobody-elses-business' }));
    await get('first');
    expect(JSON.stringify(told)).not.toMatch(/the-text|nobody-elses/);
    expect(Object.isFrozen(told[0]?.message)).toBe(true);
  });

  it('does not read the clock without a subscriber', async () => {
    next.answer(PATH, json({}));
    unsubscribe(SERVICE_CALL_CHANNEL, listen);
    await get('first');
    expect([reads, told]).toEqual([0, []]);
    subscribe(SERVICE_CALL_CHANNEL, listen);
    await get('second');
    expect(reads).toBe(2);
  });
});

describe('CallObservation', () => {
  it('shows an observer each call and its token request, until the observer is removed', async () => {
    next.answer(PATH, json({}));
    const followed: unknown[] = [];
    const inside = new AsyncLocalStorage<string>();
    const given = token;
    token = () => {
      followed.push(inside.getStore());
      return given();
    };
    const end = observation.followedBy({
      begin: (call) => {
        followed.push(call);
        return {
          headers: { traceparent: TRACEPARENT },
          span: {
            within: (send) => inside.run('within', send),
            end: ({ status }) => followed.push(status),
          },
        };
      },
    });
    await get('first');
    expect(followed).toEqual([{ ...CALL, origin: next.url }, 'within', 200]);
    expect(next.requests.map(({ headers }) => headers['traceparent'])).toEqual([TRACEPARENT]);
    end();
    await get('second');
    expect(followed).toHaveLength(3);
  });
});

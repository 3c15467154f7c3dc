import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { BearerError } from '../protocol/bearer-error.js';
import { ObservedJudgements, type ObservedCall } from './observed-judgements.js';

const INACTIVE = new BearerError('invalid_token', { reason: 'inactive', fields: { unverified: { azp: 'mallory' } } });
const ofClient = (azp: unknown) => new BearerError('invalid_token', { reason: 'other_audience', fields: { azp } });

const refuse = (error: Error) => (): never => {
  throw error;
};
const call =
  (route = 'GET /orders', response?: object) =>
  (): ObservedCall => ({
    route,
    fields: {},
    ...(response === undefined ? {} : { response }),
  });

class Answer extends EventEmitter {
  headersSent = false;
  closed = false;
  statusCode = 200;

  end(status: number): void {
    this.statusCode = status;
    this.headersSent = true;
    this.emit('finish');
    this.emit('close');
  }
}

describe('ObservedJudgements', () => {
  let lines: [message: string, fields: Readonly<Record<string, unknown>>][];
  let judgements: ObservedJudgements;
  const write = (message: string, fields: object): void => void lines.push([message, { ...fields }]);

  beforeEach(() => {
    lines = [];
    judgements = new ObservedJudgements('2027-01-31', { log: write, warn: write, error: write });
  });

  afterEach(() => judgements.end());

  it('counts the calls that would be refused, for each code, reason, route and client', async () => {
    judgements.observe(refuse(ofClient('web')), call());
    judgements.observe(() => Promise.reject(ofClient('web')), call());
    judgements.observe(refuse(ofClient('batch')), call('POST /orders'));
    judgements.observe(() => 'a verified token', call());
    await Promise.resolve();
    const kind = { code: 'invalid_token', reason: 'other_audience' };
    expect(judgements.refusals).toEqual([
      { ...kind, route: 'GET /orders', client: 'web', count: 2 },
      { ...kind, route: 'POST /orders', client: 'batch', count: 1 },
    ]);
    expect(judgements.counts).toEqual({ admitted: 1, refused: 3, refusedByBoth: 0, failed: {}, dropped: 0 });
  });

  it('does not count calls that need no token', async () => {
    judgements.observe(() => undefined, call());
    judgements.observe(() => Promise.resolve(undefined), call());
    await new Promise(setImmediate);
    expect(judgements.counts).toMatchObject({ admitted: 0, refused: 0 });
  });

  it.each([undefined, '', 7, { azp: 'web' }])('names no client if the claim azp is %j', (azp) => {
    judgements.observe(refuse(ofClient(azp)), call());
    expect(judgements.refusals).toEqual([expect.not.objectContaining({ client: expect.anything() })]);
  });

  it('names no client of an unverified token', () => {
    judgements.observe(refuse(INACTIVE), call());
    expect(judgements.refusals).toEqual([
      { code: 'invalid_token', reason: 'inactive', route: 'GET /orders', count: 1 },
    ]);
  });

  it.each([
    [401, { refused: 0, refusedByBoth: 1 }],
    [403, { refused: 0, refusedByBoth: 1 }],
    [200, { refused: 1, refusedByBoth: 0 }],
    [404, { refused: 1, refusedByBoth: 0 }],
  ])('counts a refusal only when the service has answered: %d', (status, counts) => {
    const answer = new Answer();
    judgements.observe(refuse(INACTIVE), call('GET /orders', answer));
    expect(judgements.counts).toMatchObject({ refused: 0, refusedByBoth: 0 });
    answer.end(status);
    expect(judgements.counts).toMatchObject(counts);
    expect(answer.eventNames()).toEqual([]);
  });

  it('reads the status of an answer that was sent earlier, also from a response of Fastify', () => {
    const raw = new Answer();
    raw.end(401);
    judgements.observe(refuse(INACTIVE), call('GET /orders', { raw }));
    expect(judgements.counts).toMatchObject({ refused: 0, refusedByBoth: 1 });
  });

  it('counts a refusal if the connection closes before the service answers', () => {
    const answer = new Answer();
    judgements.observe(refuse(INACTIVE), call('GET /orders', answer));
    answer.emit('close');
    expect(judgements.counts).toMatchObject({ refused: 1, refusedByBoth: 0 });
  });

  it('counts a call separately if the check of the call failed', async () => {
    const unavailable = new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' });
    judgements.observe(() => Promise.reject(unavailable), call());
    judgements.observe(refuse(new RangeError('mapPermissions failed')), call());
    await Promise.resolve();
    const failed = { timeout: 1, unexpected_error: 1 };
    expect(judgements.counts).toEqual({ admitted: 0, refused: 0, refusedByBoth: 0, failed, dropped: 0 });
    expect(judgements.refusals).toEqual([]);
    expect(lines).toEqual(
      expect.arrayContaining([
        ['A call could not be judged, and was not refused', expect.objectContaining({ reason: 'timeout' })],
        [expect.any(String), { reason: 'unexpected_error', error: 'RangeError: mapPermissions failed' }],
      ]),
    );
  });

  it('skips and counts the checks above the limit of concurrent checks', async () => {
    let resolve!: () => void;
    const promise = new Promise<string>((settle) => {
      resolve = () => settle('a verified token');
    });
    const judge = (): Promise<string> => promise;
    for (let at = 0; at < 503; at += 1) judgements.observe(judge, call());
    expect(judgements.counts).toMatchObject({ admitted: 0, dropped: 3 });
    resolve();
    await new Promise(setImmediate);
    judgements.observe(judge, call());
    await new Promise(setImmediate);
    expect(judgements.counts).toMatchObject({ admitted: 501, dropped: 3 });
  });

  it('fails no call if the logger throws or the response emits no events', async () => {
    const broken = refuse(new Error('disk full'));
    const observing = new ObservedJudgements('2027-01-31', { log: broken, warn: broken, error: broken });
    const answer = new Answer();
    observing.observe(refuse(INACTIVE), call('GET /orders', answer));
    observing.observe(() => Promise.reject(INACTIVE), call());
    observing.observe(refuse(INACTIVE), call('GET /orders', {}));
    answer.end(200);
    await new Promise(setImmediate);
    expect(observing.counts).toMatchObject({ refused: 2, failed: { unexpected_error: 3 } });
  });

  it('counts a refusal immediately if the client has already disconnected', async () => {
    const answer = new Answer();
    answer.closed = true;
    judgements.observe(() => Promise.reject(INACTIVE), call('GET /orders', answer));
    await new Promise(setImmediate);
    expect(judgements.counts).toMatchObject({ refused: 1, refusedByBoth: 0 });
    expect(answer.listenerCount('close')).toBe(0);
  });

  it('does not throw if the logger throws for the summary of repeated lines', () => {
    const log = (message: string): void => {
      if (message.startsWith('Other calls')) throw new Error('disk full');
    };
    const observing = new ObservedJudgements('2027-01-31', { log, warn: log, error: log });
    for (let at = 0; at < 100; at += 1) observing.observe(refuse(ofClient(`client-${at}`)), call());
    expect(() => observing.end()).not.toThrow();
  });

  it('limits the number of kinds of refused calls', () => {
    for (let at = 0; at < 1005; at += 1) judgements.observe(refuse(ofClient(`client-${at}`)), call());
    judgements.observe(refuse(ofClient('client-0')), call());
    expect(judgements.refusals).toHaveLength(1000);
    expect(judgements.refusals[0]).toMatchObject({ client: 'client-0', count: 2 });
    expect(judgements.unlisted).toBe(5);
  });

  it('limits the log lines of a route and reason', () => {
    for (let at = 0; at < 100; at += 1) judgements.observe(refuse(ofClient(`client-${at}`)), call());
    expect(lines).toHaveLength(20);
    judgements.end();
    expect(lines.at(-1)).toEqual([
      'Other calls would be refused, too',
      { code: 'invalid_token', reason: 'other_audience', route: 'GET /orders', count: 80, seconds: 10 },
    ]);
  });

  it('ignores a check that ends after the shutdown', async () => {
    let reject!: (error: unknown) => void;
    const promise = new Promise<void>((_, settle) => {
      reject = settle;
    });
    const answer = new Answer();
    judgements.observe(() => promise, call());
    judgements.observe(refuse(INACTIVE), call('GET /orders', answer));
    judgements.end();
    reject(INACTIVE);
    await new Promise(setImmediate);
    answer.end(200);
    judgements.observe(refuse(INACTIVE), call());
    expect(judgements.counts).toEqual({ admitted: 0, refused: 0, refusedByBoth: 0, failed: {}, dropped: 0 });
    expect(lines).toEqual([]);
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Connections } from './network.js';
import type { HttpFailure } from './send-request.js';
import { streamRequest, type StreamedResponse } from './stream-request.js';

const MINUTE_MS = 60_000;

const endless = (): Connections => ({
  dispatch(_, handler) {
    const controller = {
      aborted: false,
      paused: false,
      reason: null,
      abort: () => {},
      pause: () => {},
      resume: () => {},
    };
    handler.onRequestStart?.(controller, undefined);
    handler.onResponseStart?.(controller, 200, {});
    handler.onResponseData?.(controller, Buffer.alloc(1_000_000));
    return true;
  },
});

const answered = (): Promise<StreamedResponse> =>
  streamRequest(endless(), {
    origin: 'http://service.test',
    method: 'GET',
    path: '/',
    headers: [],
    body: undefined,
    timeoutMs: 1000,
    isRenewed: true,
    silenceMs: 1000,
    signal: undefined,
    maxResponseBytes: () => Infinity,
    isCollected: () => false,
    errorOf: (failure: HttpFailure) => failure,
    onSent: undefined,
    onReceived: undefined,
  });

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('the stream of a response', () => {
  it('ends only if its reader reads no data for a minute', async () => {
    const { body, over } = await answered();
    let isOver = false;
    void over.then(() => (isOver = true));
    jest.advanceTimersByTime(MINUTE_MS - 1);
    await new Promise(setImmediate);
    expect([body.destroyed, isOver]).toEqual([false, false]);
    jest.advanceTimersByTime(1);
    await new Promise(setImmediate);
    expect([body.destroyed, isOver]).toEqual([true, true]);
    expect(body.errored).toMatchObject({ reason: 'timeout' });
  });
});

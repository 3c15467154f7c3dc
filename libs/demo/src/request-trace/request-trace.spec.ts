import { describe, expect, it } from '@jest/globals';
import { RequestTrace } from './request-trace.js';
import { formatServerTiming, MAX_METRICS, parseServerTiming, type TraceMetric } from './server-timing.js';

const NEXT: readonly TraceMetric[] = [
  { service: 'service-c', step: 'introspection', description: 'asked', durationMs: 3 },
  { service: 'service-c', step: 'total', durationMs: 4 },
];

function traceAt(): { trace: RequestTrace; pass: (ms: number) => void } {
  let now = 1000;
  const trace = new RequestTrace('4bf92f3577b34da6a3ce929d0e0e4736', 'service-b', () => now);
  return { trace, pass: (ms) => (now += ms) };
}

describe('RequestTrace', () => {
  it("sorts the steps by start, and puts a called service's steps after the call", () => {
    const { trace, pass } = traceAt();
    trace.add({ step: 'introspection', description: 'asked', durationMs: 2 });
    pass(2);
    const call = trace.call('service-c');
    trace.add({ step: 'refused', description: 'service_failed' });
    pass(5);
    call.answered(200, NEXT);
    pass(1);
    expect(trace.end()).toEqual([
      { service: 'service-b', step: 'introspection', description: 'asked', durationMs: 2 },
      { service: 'service-b', step: 'call', description: 'service-c 200', durationMs: 5 },
      ...NEXT,
      { service: 'service-b', step: 'refused', description: 'service_failed' },
      { service: 'service-b', step: 'total', durationMs: 8 },
    ]);
  });

  it('marks a call without an answer as failed', () => {
    const { trace, pass } = traceAt();
    const call = trace.call('service-c');
    pass(3000);
    call.failed();
    pass(1);
    expect(trace.end()[0]).toEqual({
      service: 'service-b',
      step: 'call',
      description: 'service-c failed',
      durationMs: 3000,
    });
  });

  it('keeps the status and metrics of a call whose body broke off', () => {
    const { trace } = traceAt();
    const call = trace.call('service-c');
    call.answered(200, NEXT);
    call.failed();
    expect(trace.end().slice(0, 3)).toEqual([
      { service: 'service-b', step: 'call', description: 'service-c 200', durationMs: 0 },
      ...NEXT,
    ]);
  });

  it('omits the duration of a call that has no answer yet', () => {
    const { trace } = traceAt();
    trace.call('service-c');
    expect(trace.end()[0]).toEqual({ service: 'service-b', step: 'call', description: 'service-c failed' });
  });

  it('does not change after the trace has ended', () => {
    const { trace, pass } = traceAt();
    const call = trace.call('service-c');
    const ended = trace.end();
    pass(10);
    call.answered(200, NEXT);
    trace.add({ step: 'refused', description: 'invalid_token' });
    expect(trace.hasEnded).toBe(true);
    expect(trace.end()).toBe(ended);
    expect(ended).toHaveLength(2);
  });

  it('limits the number of its steps', () => {
    const { trace } = traceAt();
    for (let at = 0; at < 1000; at += 1) trace.call('service-c').answered(200, NEXT);
    expect(trace.end()).toHaveLength(MAX_METRICS);
  });

  it('drops the metrics of called services first if the trace has too many entries', () => {
    const { trace } = traceAt();
    const long = Array.from({ length: MAX_METRICS }, () => NEXT).flat();
    trace.call('service-c').answered(200, long);
    trace.add({ step: 'refused', description: 'service_failed' });
    const steps = trace.end();
    expect(steps).toHaveLength(MAX_METRICS);
    expect(steps.slice(-2)).toMatchObject([{ step: 'refused' }, { service: 'service-b', step: 'total' }]);
    expect(parseServerTiming(formatServerTiming(steps), 'service-a')).toEqual(steps);
  });
});

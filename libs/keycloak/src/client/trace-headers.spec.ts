import { describe, expect, it } from '@jest/globals';
import { traceHeadersOf, withTrace } from './trace-headers.js';

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('the trace headers', () => {
  it('contain the given traceparent', () => {
    expect(traceHeadersOf(TRACEPARENT)).toEqual({ traceparent: TRACEPARENT });
    expect(traceHeadersOf(undefined)).toEqual({});
  });

  it.each([
    ['empty', ''],
    ['of an invalid version', TRACEPARENT.replace(/^00/, 'ff')],
    ['without a trace', TRACEPARENT.replace(/4bf9\w+/, '0'.repeat(32))],
    ['without a parent', TRACEPARENT.replace(/00f0\w+/, '0'.repeat(16))],
    ['too long', `${TRACEPARENT}-00`],
    ['two values', `${TRACEPARENT}, ${TRACEPARENT}`],
    ['in capitals', TRACEPARENT.toUpperCase()],
    ['an injected header', `${TRACEPARENT}\r\nauthorization: x`],
  ])('are empty for a malformed traceparent: %s', (_, malformed) => {
    expect(traceHeadersOf(malformed)).toEqual({});
  });

  it('replace the trace headers of a call, even if the header names contain capital letters', () => {
    const headers = { 'X-Request-Id': 'r-1', TraceParent: TRACEPARENT, tracestate: 'a=1' };
    const trace = { traceparent: TRACEPARENT.replace('01', '00') };
    expect(withTrace(headers, trace)).toEqual({ 'X-Request-Id': 'r-1', ...trace });
    expect(withTrace(undefined, trace)).toEqual(trace);
  });

  it('leave the headers of a call unchanged if the trace headers are empty', () => {
    const headers = { 'X-Request-Id': 'r-1' };
    expect(withTrace(headers, {})).toBe(headers);
    expect(withTrace(undefined, {})).toBeUndefined();
  });
});

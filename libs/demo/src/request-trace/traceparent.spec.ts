import { describe, expect, it } from '@jest/globals';
import { newTraceId, sampledTraceId, traceparent } from './traceparent.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

describe('traceparent', () => {
  it('is propagated with the same trace id and a new parent id', () => {
    const [one, other] = [traceparent(TRACE), traceparent(TRACE)];
    expect(one).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
    expect(one).not.toBe(other);
    expect(sampledTraceId(one)).toBe(TRACE);
    expect(newTraceId()).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    [`00-${TRACE}-${PARENT}-01`, TRACE],
    [`00-${TRACE}-${PARENT}-03`, TRACE],
    [`01-${TRACE}-${PARENT}-01-what-is-to-come`, TRACE],
    [`00-${TRACE}-${PARENT}-00`, undefined],
    [`00-${TRACE}-${PARENT}-02`, undefined],
    [`00-${TRACE}-${PARENT}-01-more`, undefined],
    [`ff-${TRACE}-${PARENT}-01`, undefined],
    [`00-${'0'.repeat(32)}-${PARENT}-01`, undefined],
    [`00-${TRACE}-${'0'.repeat(16)}-01`, undefined],
    [`00-${TRACE.toUpperCase()}-${PARENT}-01`, undefined],
    [`00-${TRACE}-${PARENT}-1`, undefined],
    ['', undefined],
    [undefined, undefined],
    [['00'], undefined],
  ])('requests a trace only if it is sampled and well-formed: %s', (header, traceId) => {
    expect(sampledTraceId(header)).toBe(traceId);
  });
});

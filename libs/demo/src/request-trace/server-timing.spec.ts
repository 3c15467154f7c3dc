import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatServerTiming, MAX_METRICS, parseServerTiming, type TraceMetric } from './server-timing.js';

const service = fc.constantFrom('service-a', 'service-b', 'service-c', 'x', 'warehouse-2');
const durationMs = fc.integer({ min: 0, max: 99_999_990 }).map((tenths) => tenths / 10);
const description = (...texts: string[]) => fc.constantFrom(...texts);
const token = fc.constantFrom('client-credentials' as const, 'token-exchange' as const);
const metric: fc.Arbitrary<TraceMetric> = fc.oneof(
  fc.record({
    service,
    step: fc.constant('introspection' as const),
    description: description('asked', 'joined', 'cached'),
    durationMs,
  }),
  fc.record({ service, step: token, description: description('requested', 'joined', 'reused'), durationMs }),
  fc.record({
    service,
    step: fc.constant('call' as const),
    description: description('service-b 200', 'service-c 503', 'service-c failed'),
    durationMs,
  }),
  fc.record({
    service,
    step: fc.constant('refused' as const),
    description: description('insufficient_scope', 'invalid_token'),
  }),
  fc.record({ service, step: fc.constant('total' as const), durationMs }),
);

describe('Server-Timing', () => {
  it('returns exactly the metrics that were written to the header', () => {
    fc.assert(
      fc.property(fc.array(metric, { minLength: 1, maxLength: MAX_METRICS }), (metrics) => {
        expect(parseServerTiming(formatServerTiming(metrics), 'nobody')).toEqual(metrics);
      }),
    );
  });

  it('is written in the standard syntax of the header', () => {
    expect(
      formatServerTiming([
        { service: 'service-a', step: 'token-exchange', description: 'requested', durationMs: 12.345 },
        { service: 'service-a', step: 'refused', description: 'insufficient_scope' },
        { service: 'service-a', step: 'total', durationMs: 1e12 },
      ]),
    ).toBe(
      'service-a.token-exchange;desc="requested";dur=12.3, service-a.refused;desc="insufficient_scope", service-a.total;dur=9999999',
    );
  });

  it.each([
    '',
    'total;dur=1',
    'service-c.total;dur=-1',
    'service-c.total;dur=1e9',
    'service-c.total;dur=NaN',
    'service-c.total;desc="asked"',
    'service-c.unknown;dur=1',
    'service-c.constructor;dur=1',
    'service-c.introspection;dur=1',
    'service-c.introspection;desc="<img src=x>";dur=1',
    'service-c.introspection;desc=asked;dur=1',
    'service-c.jwt;desc="asked";dur=1',
    'service-c.refused;desc="eyJhbGciOiJSUzI1NiJ9"',
    'service-c.call;desc="service-d 200 and more"',
    'service-c.call;desc="https://evil.example 200"',
    'SERVICE.total;dur=1',
    `${'s'.repeat(40)}.total;dur=1`,
    'cache;desc="hit"',
    'service-b.total;dur=1',
  ])('returns no metric that is malformed or names this service: %s', (odd) => {
    expect(parseServerTiming(odd, 'service-b')).toEqual([]);
    const good = 'service-c.total;dur=1';
    expect(parseServerTiming(`${good}, ${odd}, ${good}`, 'service-b')).toHaveLength(2);
  });

  it('returns a limited number of metrics, even if the header has more metrics', () => {
    const one = 'service-c.total;dur=1';
    expect(parseServerTiming(Array.from({ length: 100 }, () => one).join(','), 'service-b')).toHaveLength(MAX_METRICS);
    expect(parseServerTiming(`${one}, ${'x'.repeat(5000)}`, 'service-b')).toEqual([]);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const { service: name } of parseServerTiming(text, 'service-b')) expect(name).toMatch(/^[a-z][a-z\d-]*$/);
      }),
    );
  });
});

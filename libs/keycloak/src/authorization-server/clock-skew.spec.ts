import { describe, expect, it } from '@jest/globals';
import { StillClock } from '../../spec-support/still-clock.js';
import { ClockSkew } from './clock-skew.js';

describe('the clock skew between this machine and the authorization server', () => {
  const measuredAt = () => {
    const clock = new StillClock();
    const skew = new ClockSkew(clock);
    return { clock, skew, server: clock.date };
  };

  it('is unknown before the first measurement', () => {
    const { skew, server } = measuredAt();
    expect(skew.measured).toBeUndefined();
    expect(skew.latestSeconds()).toBe(server);
  });

  it('changes immediately when the date of this machine is set back', () => {
    const { clock, skew, server } = measuredAt();
    skew.observeIssuedAt(server);
    clock.advance(10);
    clock.date -= 3600;
    expect(skew.measured?.aheadSeconds).toBe(-3600);
    expect(skew.latestSeconds()).toBeGreaterThanOrEqual(server + 10);
  });

  it('stays the same after a date jump, until the server refuses a request', () => {
    const { clock, skew, server } = measuredAt();
    skew.observeIssuedAt(server);
    clock.date += 3600;
    expect(skew.measured?.aheadSeconds).toBe(0);
    expect(skew.doubt(0)).toBe(true);
    expect(skew.measured?.aheadSeconds).toBe(3600);
    expect(skew.doubt(0)).toBe(true);
    expect(skew.measured?.aheadSeconds).toBe(3600);
    skew.observeIssuedAt(server + 3600);
    expect([skew.measured?.aheadSeconds, skew.doubt(0)]).toEqual([0, false]);
  });

  it('is measured by the Date header for one minute, and afterwards by the iat of an issued token', () => {
    const { clock, skew, server } = measuredAt();
    skew.observeHeader({ date: new Date((server - 7) * 1000).toUTCString() });
    skew.observeIssuedAt(server);
    expect(skew.measured).toEqual({ aheadSeconds: 7, by: 'its Date header' });
    clock.date -= 3600;
    clock.advance(61);
    expect(skew.measured).toEqual({ aheadSeconds: -3600, by: 'the iat of a token that it has just issued' });
  });
});

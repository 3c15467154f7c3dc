import { describe, expect, it } from '@jest/globals';
import { CONNECTION_FAILURES, certificateHint } from './connection-failures.js';

describe('a connection that failed', () => {
  it('for its certificate has a hint, and for nothing else', () => {
    const hinted = CONNECTION_FAILURES.filter((reason) =>
      certificateHint(reason).hint?.includes('NODE_EXTRA_CA_CERTS'),
    );
    expect(hinted.every((reason) => /CERT|SIGNATURE/.test(reason))).toBe(true);
    expect(hinted).toHaveLength(6);
    expect(certificateHint('timeout')).toEqual({});
  });
});

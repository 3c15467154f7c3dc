import { describe, expect, it } from '@jest/globals';
import { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { judgeAccessToken } from '../resource-server/judge-access-token.js';
import { testAccessToken } from './test-access-token.js';

describe('testAccessToken', () => {
  it('is a judged token with harmless defaults', () => {
    const token = testAccessToken();
    expect(token).toBeInstanceOf(VerifiedAccessToken);
    expect(token).toMatchObject({
      issuer: 'https://keycloak.test/realms/test',
      subject: 'test-subject',
      clientId: 'test-client',
      audience: ['test-service'],
    });
    expect([...token.permissions]).toEqual([]);
  });

  it('takes subject, permissions, client and claims', () => {
    const token = testAccessToken({
      subject: 's',
      permissions: ['a', 'b'],
      client: 'c',
      audience: 'd',
      claims: { sid: 'e' },
    });
    expect(token).toMatchObject({ subject: 's', clientId: 'c', audience: ['d'], sessionId: 'e' });
    expect([...token.permissions]).toEqual(['a', 'b']);
  });

  it('has the claims that the guard would have let pass', () => {
    const { claims, issuer } = testAccessToken({ permissions: ['a'] });
    const options = { issuer, audience: 'test-service', clockToleranceSeconds: 0, permissions: undefined };
    const clock = { epochSeconds: () => claims.exp - 1, monotonicMs: () => 0 };
    const judged = judgeAccessToken('t', { active: true, ...claims }, options, clock, { denies: () => false });
    expect([...judged.permissions]).toEqual(['a']);
  });

  it('can be one that has expired', () => {
    const token = testAccessToken({ expiresInSeconds: -1 });
    expect(token.expiresAt).toBeLessThan(Date.now() / 1000);
  });
});

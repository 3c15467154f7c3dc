import { describe, expect, it } from '@jest/globals';
import { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { TOKEN_PROFILES } from '../protocol/token-profile.js';
import { verifyClaims } from '../../spec-support/verify-claims.js';
import { testAccessToken } from './test-access-token.js';

describe('testAccessToken', () => {
  it('makes a verified token with default values', () => {
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

  it('accepts subject, permissions, client and claims', () => {
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

  it('makes claims that the guard accepts', async () => {
    const { claims, issuer } = testAccessToken({ permissions: ['a'] });
    const profile = TOKEN_PROFILES.keycloak;
    const options = { issuer, audience: 'test-service', clockToleranceSeconds: 0, permissions: undefined, profile };
    const clock = { epochSeconds: () => claims.exp - 1, monotonicMs: () => 0 };
    const verified = await verifyClaims('t', 'introspection', { active: true, ...claims }, options, clock, {
      denies: () => false,
    });
    expect([...verified.permissions]).toEqual(['a']);
  });

  it('makes a different token each time, unless the options contain a text', () => {
    expect(testAccessToken().hash).not.toBe(testAccessToken().hash);
    expect(testAccessToken({ text: 't' }).hash).toBe(testAccessToken({ text: 't' }).hash);
  });

  it('accepts claims that override all other options', () => {
    const token = testAccessToken({
      subject: 'alice',
      claims: { sub: 'bob', typ: 'ID', iat: undefined, azp: undefined },
    });
    expect(token).toMatchObject({ subject: 'bob', clientId: '' });
    expect(token.claims).toMatchObject({ typ: 'ID' });
    expect(Object.keys(token.claims).toSorted()).toEqual(['aud', 'exp', 'iss', 'scope', 'sub', 'typ']);
  });

  it('makes a token with the permissions of the scope claim', () => {
    expect([...testAccessToken({ claims: { scope: 'a b' } }).permissions]).toEqual(['a', 'b']);
    expect([...testAccessToken({ permissions: ['a'], claims: { scope: undefined } }).permissions]).toEqual([]);
  });

  it('sets acr and auth_time only if the options contain these values', () => {
    const now = Math.floor(Date.now() / 1000);
    const { claims } = testAccessToken({ acr: 'gold', authenticatedSecondsAgo: 600 });
    expect(claims['acr']).toBe('gold');
    expect(Math.abs(Number(claims['auth_time']) - (now - 600))).toBeLessThanOrEqual(1);
    expect(Object.keys(testAccessToken().claims)).not.toEqual(expect.arrayContaining(['acr']));
    expect(Object.keys(testAccessToken().claims)).not.toEqual(expect.arrayContaining(['auth_time']));
  });

  it('can make a token for several services', () => {
    expect(testAccessToken({ audience: ['a', 'b'] }).audience).toEqual(['a', 'b']);
  });

  it('can make an expired token', () => {
    const token = testAccessToken({ expiresInSeconds: -1 });
    expect(token.expiresAt).toBeLessThan(Date.now() / 1000);
  });
});

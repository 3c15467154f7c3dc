import { describe, expect, it } from '@jest/globals';
import { testAccessToken } from 'nestjs-keycloak-s2s/testing';
import { seenToken, seenTokens } from './seen-token.js';

const claims = { email: 'alice@example.com', realm_access: { roles: ['order-manager'] }, typ: 'Bearer' };
const token = testAccessToken({ text: 'the-text-of-the-token', subject: 'alice', claims });

describe('a record of a received token', () => {
  it('contains the fingerprint and public claims, without the token, email or roles', () => {
    const seen = seenToken('service-b', token);
    expect(seen).toMatchObject({ service: 'service-b', fingerprint: token.fingerprint, claims: { sub: 'alice' } });
    expect(Object.keys(seen.claims)).toEqual(expect.arrayContaining(['iss', 'sub', 'aud', 'exp', 'typ']));
    expect(JSON.stringify(seen)).not.toMatch(/the-text|order-manager|alice@/);
  });

  it('is unchanged after a conversion to JSON and back', () => {
    const seen = [seenToken('service-b', token)];
    expect(seenTokens(JSON.parse(JSON.stringify(seen)))).toEqual(seen);
  });

  it.each([
    ['not a list', { service: 'b' }],
    ['too many', Array.from({ length: 9 }, () => seenToken('b', token))],
    ['null', [null]],
    ['no fingerprint', [{ service: 'b', claims: {} }]],
  ])('is rejected when it is %s', (_, answer) => {
    expect(seenTokens(answer)).toBeUndefined();
  });

  it('contains no unknown or malformed claims', () => {
    const answer = [
      { service: 'b', fingerprint: 'token:1', claims: { sub: { evil: 1 }, aud: [1], secret: 'x', azp: 'a' } },
    ];
    expect(seenTokens(answer)).toEqual([{ service: 'b', fingerprint: 'token:1', claims: { azp: 'a' } }]);
  });
});

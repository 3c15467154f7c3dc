import { describe, expect, it } from '@jest/globals';
import { testAccessToken } from 'nestjs-keycloak-s2s/testing';
import { seenToken, seenTokens } from './seen-token.js';

const claims = { email: 'alice@example.com', realm_access: { roles: ['order-manager'] }, typ: 'Bearer' };
const token = testAccessToken({ text: 'the-text-of-the-token', subject: 'alice', claims });

describe('what is told of a token', () => {
  it('is its fingerprint and the claims that compare hops: no text, no email, no roles', () => {
    const told = seenToken('service-b', token);
    expect(told).toMatchObject({ service: 'service-b', fingerprint: token.fingerprint, claims: { sub: 'alice' } });
    expect(Object.keys(told.claims)).toEqual(expect.arrayContaining(['iss', 'sub', 'aud', 'exp', 'typ']));
    expect(JSON.stringify(told)).not.toMatch(/the-text|order-manager|alice@/);
  });

  it('comes over the wire unchanged', () => {
    const told = [seenToken('service-b', token)];
    expect(seenTokens(JSON.parse(JSON.stringify(told)))).toEqual(told);
  });

  it.each([
    ['no list', { service: 'b' }],
    ['too many', Array.from({ length: 9 }, () => seenToken('b', token))],
    ['null', [null]],
    ['no fingerprint', [{ service: 'b', claims: {} }]],
  ])('is not believed when it is %s', (_, answer) => {
    expect(seenTokens(answer)).toBeUndefined();
  });

  it('drops claims that are not asked for, or of no form', () => {
    const answer = [
      { service: 'b', fingerprint: 'token:1', claims: { sub: { evil: 1 }, aud: [1], secret: 'x', azp: 'a' } },
    ];
    expect(seenTokens(answer)).toEqual([{ service: 'b', fingerprint: 'token:1', claims: { azp: 'a' } }]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { printedForms } from '../../spec-support/printed-forms.js';
import { IssuedToken } from './issued-token.js';

const TEXT = 'eyJhbGciOiJSUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl';
const token = new IssuedToken(TEXT, ['orders.approve'], 60);

describe('IssuedToken', () => {
  it('returns its text only from reveal(), and hides it in every printed form (RS-23)', () => {
    expect(token.reveal()).toBe(TEXT);
    for (const part of TEXT.split('.')) {
      expect(printedForms(token)).not.toContain(part);
      expect(printedForms({ nested: [token] })).not.toContain(part);
      expect(JSON.stringify(Object.entries(structuredClone(token)))).not.toContain(part);
    }
  });

  it('prints a fingerprint instead of the token text', () => {
    expect(token.fingerprint).toMatch(/^token:[0-9a-f]{8}$/);
    expect(String(token)).toBe(`IssuedToken(${token.fingerprint})`);
    expect(JSON.parse(JSON.stringify(token))).toEqual({
      fingerprint: token.fingerprint,
      scope: ['orders.approve'],
      lifetimeSeconds: 60,
    });
    expect(new IssuedToken(`${TEXT}x`, [], 60).fingerprint).not.toBe(token.fingerprint);
  });

  it('cannot be changed', () => {
    expect(Object.isFrozen(token)).toBe(true);
    expect(Object.isFrozen(token.scope)).toBe(true);
  });
});

import { describe, expect, it } from '@jest/globals';
import { printedForms } from '../../spec-support/printed-forms.js';
import { testAccessToken } from '../testing/test-access-token.js';
import { subjectTokenText } from './verified-access-token.js';

const TEXT = 'test-token-of-alice-id';
const token = testAccessToken({
  text: TEXT,
  subject: 'alice-id',
  permissions: ['orders.read'],
  claims: { sid: 's1', preferred_username: 'alice', email: 'alice@example.com', realm_access: { roles: ['viewer'] } },
});

describe('VerifiedAccessToken', () => {
  it('reveals its text only to the token exchange, not in any printed form (RS-23)', () => {
    expect(subjectTokenText(token)).toBe(TEXT);
    expect(printedForms(token)).not.toContain('test-token');
    expect(printedForms({ nested: [token] })).not.toContain('test-token');
    expect(`${token}${JSON.stringify([Object.keys(token), Object.entries(token)])}`).not.toContain('test-token');
    expect(JSON.stringify(Object.entries(structuredClone(token)))).not.toContain('test-token');
  });

  it('is identified by issuer and subject, not by user name and email (RS-10)', () => {
    const claims = { preferred_username: 'alice', email: 'alice@example.com' };
    const renamed = testAccessToken({ subject: 'alice-id', claims: { ...claims, preferred_username: 'bob' } });
    const namesake = testAccessToken({ subject: 'other-id', claims });
    expect([renamed.issuer, renamed.subject]).toEqual([token.issuer, token.subject]);
    expect(namesake.subject).not.toBe(token.subject);
    expect(JSON.stringify(token)).not.toContain('alice@example.com');
  });

  it('has aud as a frozen list', () => {
    expect(token.audience).toEqual(['test-service']);
    expect(Object.isFrozen(token.audience)).toBe(true);
  });

  it('has the session, the names and the roles from its claims', () => {
    const { sessionId, username, email, realmRoles } = token;
    expect({ sessionId, username, email, realmRoles }).toEqual({
      sessionId: 's1',
      username: 'alice',
      email: 'alice@example.com',
      realmRoles: ['viewer'],
    });
    expect(token.clientRoles('service-a')).toEqual([]);
  });

  it('is immutable', () => {
    for (const name of ['subject', 'permissions', 'claims', 'username']) {
      expect(() => Object.assign(token, { [name]: 'other' })).toThrow(TypeError);
    }
    expect(token.subject).toBe('alice-id');
    expect(Object.isFrozen(token.permissions)).toBe(true);
    expect(Object.isFrozen(token.claims)).toBe(true);
  });
});

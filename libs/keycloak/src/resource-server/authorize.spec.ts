import { describe, expect, it } from '@jest/globals';
import { BearerError } from '../protocol/bearer-error.js';
import { testAccessToken } from '../testing/test-access-token.js';
import { authorize } from './authorize.js';

const access = (
  permissions: readonly string[],
  clients: readonly string[] = [],
  anyOf: readonly (readonly string[])[] = [],
) => ({
  opening: 'authenticated' as const,
  permissions,
  anyOf,
  clients,
  maxStalenessSeconds: undefined,
  verification: undefined,
  fault: undefined,
});

const token = testAccessToken({ permissions: ['b.readwrite', 'b.approve'], client: 'service-a' });

function refusal(...demands: Parameters<typeof access>): object | undefined {
  try {
    authorize(token, access(...demands));
    return undefined;
  } catch (error) {
    const { code, permission } = error as BearerError;
    return { code, permission };
  }
}

describe('authorize (RFC 6750 section 3.1)', () => {
  it('lets a token pass that has every permission and an allowed client', () => {
    expect(refusal([])).toBeUndefined();
    expect(refusal(['b.approve', 'b.readwrite'], ['service-x', 'service-a'])).toBeUndefined();
  });

  it('compares permissions whole, never by prefix or case (RS-09)', () => {
    for (const permission of ['b.read', 'b', 'B.READWRITE', 'b.readwrite ', 'has', '__proto__']) {
      expect(refusal([permission])).toEqual({ code: 'insufficient_scope', permission });
    }
  });

  it('names the first permission that is missing', () => {
    expect(refusal(['b.approve', 'x', 'y'])).toEqual({ code: 'insufficient_scope', permission: 'x' });
  });

  it('judges the permission before the client', () => {
    expect(refusal(['x'], ['warehouse'])).toEqual({ code: 'insufficient_scope', permission: 'x' });
    expect(refusal(['b.approve'], ['warehouse'])).toEqual({ code: 'client_not_allowed', permission: undefined });
  });

  it('takes one of those that would do, of each set, and names the first of a set that is missing', () => {
    expect(refusal([], [], [['x', 'b.approve']])).toBeUndefined();
    expect(refusal([], [], [['b.approve'], ['x', 'y']])).toEqual({ code: 'insufficient_scope', permission: 'x' });
    expect(refusal(['z'], [], [['x', 'y']])).toEqual({ code: 'insufficient_scope', permission: 'z' });
    expect(refusal([], [], [['b', 'B.APPROVE']])).toEqual({ code: 'insufficient_scope', permission: 'b' });
  });

  it('compares clients whole', () => {
    expect(refusal([], ['service', 'service-a2'])).toMatchObject({ code: 'client_not_allowed' });
  });
});

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
  authentication: undefined,
  maxStalenessSeconds: undefined,
  verification: undefined,
  fault: undefined,
});

const neverAsked = (): never => {
  throw new Error('No clock is read for a route that demands no login');
};

const token = testAccessToken({ permissions: ['b.readwrite', 'b.approve'], client: 'service-a' });

const VERIFIER = { ownIssuer: token.issuer, permissionsAreScopes: () => true };

function refusal(...demands: Parameters<typeof access>): object | undefined {
  try {
    authorize(token, access(...demands), { ...VERIFIER, verifyAuthentication: neverAsked });
    return undefined;
  } catch (error) {
    const { code, permission } = error as BearerError;
    return { code, permission };
  }
}

describe('authorize (RFC 6750 section 3.1)', () => {
  it('accepts a token with every permission and an allowed client', () => {
    expect(refusal([])).toBeUndefined();
    expect(refusal(['b.approve', 'b.readwrite'], ['service-x', 'service-a'])).toBeUndefined();
  });

  it('compares permissions exactly, not by prefix or case (RS-09)', () => {
    for (const permission of ['b.read', 'b', 'B.READWRITE', 'b.readwrite ', 'has', '__proto__']) {
      expect(refusal([permission])).toEqual({ code: 'insufficient_scope', permission });
    }
  });

  it('names the first missing permission in the refusal', () => {
    expect(refusal(['b.approve', 'x', 'y'])).toEqual({ code: 'insufficient_scope', permission: 'x' });
  });

  it('checks the permission before the allowed clients', () => {
    expect(refusal(['x'], ['warehouse'])).toEqual({ code: 'insufficient_scope', permission: 'x' });
    expect(refusal(['b.approve'], ['warehouse'])).toEqual({ code: 'client_not_allowed', permission: undefined });
  });

  it('demands at least one permission of each list in @RequireAnyPermission', () => {
    expect(refusal([], [], [['x', 'b.approve']])).toBeUndefined();
    expect(refusal([], [], [['b.approve'], ['x', 'y']])).toEqual({ code: 'insufficient_scope', permission: 'x' });
    expect(refusal(['z'], [], [['x', 'y']])).toEqual({ code: 'insufficient_scope', permission: 'z' });
    expect(refusal([], [], [['b', 'B.APPROVE']])).toEqual({ code: 'insufficient_scope', permission: 'b' });
  });

  it('names the actor of the token in each refusal, and does not ask the actor for permissions', () => {
    const act = { sub: 'agent-id', client_id: 'service-x', scope: 'x' };
    const acting = testAccessToken({ client: 'service-a', claims: { act } });
    const part = { ...VERIFIER, verifyAuthentication: neverAsked, ownIssuer: acting.issuer };
    for (const demands of [access(['x']), access([], ['service-x'])]) {
      expect(() => authorize(acting, demands, part)).toThrow(
        expect.objectContaining({
          fields: expect.objectContaining({ actor: { azp: 'service-x', sub: 'agent-id' } }) as unknown,
        }),
      );
    }
  });

  it('checks the login last, after permission and client (RS-11)', () => {
    const demanded = { acrValues: ['gold'], maxAgeSeconds: undefined };
    const asked: unknown[] = [];
    const verifier = {
      ...VERIFIER,
      verifyAuthentication: (...given: unknown[]): void => void asked.push(given),
    };
    const authentication = demanded;
    for (const lacking of [access(['x']), access([], ['warehouse'])]) {
      expect(() => authorize(token, { ...lacking, authentication }, verifier)).toThrow(BearerError);
    }
    expect(asked).toEqual([]);
    authorize(token, { ...access(['b.approve']), authentication }, verifier);
    expect(asked).toEqual([[token, demanded]]);
  });

  it('compares client ids exactly', () => {
    expect(refusal([], ['service', 'service-a2'])).toMatchObject({ code: 'client_not_allowed' });
  });
});

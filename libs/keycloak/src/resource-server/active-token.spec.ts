import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deepFreeze } from '../protocol/claims.js';
import { TOKEN_PROFILES } from '../protocol/token-profile.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { ActiveToken } from './active-token.js';
import { verifyClaims, type SpecVerifierOptions } from '../../spec-support/verify-claims.js';
import { type ClaimsSource } from './claims-verifier.js';
import { verifyAuthentication } from './verify-authentication.js';

const NOW = 1_700_000_000;

const ANSWER = deepFreeze({
  active: true,
  iss: 'https://keycloak.example.com/realms/test',
  sub: 'alice-id',
  aud: 'service-b',
  exp: NOW + 60,
  iat: NOW - 10,
  typ: 'Bearer',
  azp: 'web',
  scope: 'orders.read',
  jti: 'j1',
  sid: 's1',
  realm_access: { roles: ['user'] },
  acr: '2',
  auth_time: NOW - 12,
});

const OPTIONS: SpecVerifierOptions = {
  issuer: ANSWER.iss,
  audience: 'service-b',
  clockToleranceSeconds: 0,
  permissions: undefined,
  profile: TOKEN_PROFILES.keycloak,
};

const part = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('base64url');

const jws = (payload: string | Uint8Array): string =>
  `${part('{"alg":"RS256"}')}.${part(payload)}.${part('signature')}`;

const jwt = (payload: object): string => jws(JSON.stringify(payload));

const claimsOf = (text: string, answer: Readonly<Record<string, unknown>> = ANSWER) =>
  ActiveToken.of(text, answer, ANSWER.iss)?.claims;

function verified(
  text: string,
  source: ClaimsSource = 'introspection',
  given: object = { ...ANSWER },
): VerifiedAccessToken {
  const clock = { epochSeconds: () => NOW, monotonicMs: () => 0 };
  const answer = given as Readonly<Record<string, unknown>>;
  return verifyClaims(text, source, answer, OPTIONS, clock, { denies: () => false }) as VerifiedAccessToken;
}

describe('the claims of an active token', () => {
  it.each<[string, object, object]>([
    ["the token's acr if the session's acr is higher", { acr: '1' }, { acr: '1', auth_time: ANSWER.auth_time }],
    [
      "the token's auth_time if the session's auth_time is later",
      { auth_time: NOW - 900 },
      { acr: '2', auth_time: NOW - 900 },
    ],
    ["the token's acr if the session has lost this acr", { acr: '3' }, { acr: '3', auth_time: ANSWER.auth_time }],
    ["the token's acr even if it is a number", { acr: 1 }, { acr: 1 }],
    ["the token's auth_time even if it is null", { auth_time: null }, { auth_time: null }],
    [
      "the session's acr and auth_time if the token has neither",
      { sub: 'alice-id' },
      { acr: '2', auth_time: ANSWER.auth_time },
    ],
  ])('have %s (RS-27)', (_, payload, expected) => {
    expect(claimsOf(jwt(payload))).toMatchObject(expected);
  });

  it.each([
    ['an opaque token', 'opaque'],
    ['an opaque token with dots', 'a.b.c'],
    ['a payload that is not JSON', jws('nothing')],
    ['a payload that is a list', jws('[{"acr":"9"}]')],
    ['a payload that is null', jws('null')],
    ['a text without a header that names an algorithm', `${part('{}')}.${part('{"acr":"9"}')}.${part('s')}`],
  ])('are the claims of the introspection result for %s (RS-27)', (_, text) => {
    expect(claimsOf(text)).toBe(ANSWER);
  });

  it.each([
    ['a duplicate name', jws('{"acr":"1","acr":"2"}')],
    ['a member __proto__', jws('{"__proto__":{"acr":"2"}}')],
    ['bytes that are not UTF-8', jws(Uint8Array.from([...Buffer.from('{"acr":"'), 0xff, ...Buffer.from('"}')]))],
    ['objects more than 32 deep', jws(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`)],
  ])('are refused if the payload of the token has %s (RS-27)', (_, text) => {
    expect(() => claimsOf(text)).toThrow(expect.objectContaining({ reason: 'token_malformed' }));
  });

  it('include act from the token, or else from the introspection result (RFC 8693 section 4.1)', () => {
    const [own, reported] = [{ sub: 'agent-id' }, { sub: 'clerk' }];
    expect(claimsOf(jwt({ iss: ANSWER.iss, act: own }))).toMatchObject({ act: own });
    expect(claimsOf(jwt({ iss: ANSWER.iss, act: own }), { ...ANSWER, act: reported })).toMatchObject({ act: own });
    expect(claimsOf(jwt({ iss: ANSWER.iss }), { ...ANSWER, act: reported })).toMatchObject({ act: reported });
    expect(claimsOf('opaque', { ...ANSWER, act: reported })).toMatchObject({ act: reported });
  });

  it.each([{ iss: 'https://other.example.com' }, { iss: [ANSWER.iss] }, {}])(
    'do not include act from a token with %j, which is not from the issuer',
    (payload) => {
      const claims = claimsOf(jwt({ ...payload, act: { sub: 'agent-id' } }), { ...ANSWER, act: { sub: 'clerk' } });
      expect(claims).toMatchObject({ act: { sub: 'clerk' } });
      expect(claimsOf(jwt({ ...payload, act: { sub: 'agent-id' } }))).not.toHaveProperty('act');
    },
  );

  it('come from the introspection result, except acr, auth_time, act and cnf (RS-27)', () => {
    const { acr: _, auth_time: __, ...others } = ANSWER;
    const anything = fc.jsonValue({ maxDepth: 3 }).filter((value) => !JSON.stringify(value).includes('__proto__'));
    const payload = fc.record(Object.fromEntries(Object.keys(others).map((name) => [name, anything])));
    fc.assert(
      fc.property(payload, fc.string(), (claims, acr) => {
        expect(claimsOf(jwt({ ...claims, acr }))).toEqual({ ...ANSWER, acr });
      }),
    );
  });

  it('include cnf from the token or the introspection result, so that the token is refused (RS-27, RS-18)', () => {
    const bound = { 'x5t#S256': 'abc' };
    expect(claimsOf(jwt({ cnf: bound }))).toMatchObject({ cnf: bound });
    expect(claimsOf(jwt({}), { ...ANSWER, cnf: bound })).toMatchObject({ cnf: bound });
    expect(() => verified(jwt({ cnf: bound }))).toThrow(expect.objectContaining({ reason: 'sender_constrained' }));
  });

  it.each([false, undefined, 'true', 1])('do not exist if the introspection result has active %j (RS-27)', (active) => {
    expect(ActiveToken.of(jwt({ acr: '9' }), { ...ANSWER, active }, ANSWER.iss)).toBeUndefined();
  });

  it('can only be created from an introspection result (RS-27)', () => {
    // @ts-expect-error -- the constructor is private
    const make = (): ActiveToken => new ActiveToken('text', ANSWER, ANSWER.iss);
    expect(make).toThrow(TypeError);
    // @ts-expect-error -- no other value has this type
    const made: ActiveToken = { claims: ANSWER };
    expect(made).not.toBeInstanceOf(ActiveToken);
  });
});

describe('the login check', () => {
  const demand = { acrValues: ['2'], maxAgeSeconds: 300 };
  const hold = (token: VerifiedAccessToken): void => verifyAuthentication(token, demand, undefined, NOW, 0);

  it('refuses a token that was issued before the step-up of its session (RS-27)', () => {
    const before = jwt({ acr: '1', auth_time: NOW - 900 });
    expect(() => hold(verified(before))).toThrow(expect.objectContaining({ code: 'insufficient_user_authentication' }));
    const signed = { ...ANSWER, acr: '1', auth_time: NOW - 900 };
    expect(() => hold(verified(before, 'signature', signed))).toThrow(
      expect.objectContaining({ code: 'insufficient_user_authentication' }),
    );
  });

  it('refuses an auth_time that is too old, at each use of a cached result (RS-27)', () => {
    const before = jwt({ acr: '2', auth_time: NOW - 900 });
    const answer = deepFreeze({ ...ANSWER });
    for (let time = 0; time < 3; time += 1) {
      expect(() => hold(verified(before, 'introspection', answer))).toThrow(
        expect.objectContaining({ reason: 'authentication_too_old' }),
      );
    }
  });

  it("accepts the token's acr even if an exchange lowered the session's acr (RS-27)", () => {
    const answer = deepFreeze({ ...ANSWER, acr: '1' });
    expect(() => hold(verified(jwt({ acr: '2', auth_time: NOW - 12 }), 'introspection', answer))).not.toThrow();
  });

  it('uses the introspection result for an opaque token (RS-27)', () => {
    expect(() => hold(verified('opaque', 'introspection', deepFreeze({ ...ANSWER })))).not.toThrow();
  });
});

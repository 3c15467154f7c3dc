import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BearerError } from '../protocol/bearer-error.js';
import { testAccessToken } from '../testing/test-access-token.js';
import { authenticationDemand, type AuthenticationRequirement } from './authentication-requirement.js';
import { verifyAuthentication } from './verify-authentication.js';

const NOW = 1_700_000_000.7;
const TOLERANCE = 5;

function refusalOf(
  claims: Readonly<Record<string, unknown>>,
  requirement: AuthenticationRequirement,
): BearerError | undefined {
  const demand = authenticationDemand('here', requirement);
  try {
    verifyAuthentication(testAccessToken({ claims }), demand, undefined, NOW, TOLERANCE);
    return undefined;
  } catch (error) {
    if (!(error instanceof BearerError) || error.code !== 'insufficient_user_authentication') throw error;
    if (error.authentication !== demand) throw new Error('The refusal does not say what is demanded', { cause: error });
    return error;
  }
}

const GOLD = { acr: 'gold' };
const RECENT = { maxAgeSeconds: 60 };

describe('verifyAuthentication (RFC 9470 section 3)', () => {
  it.each<[string, Readonly<Record<string, unknown>>, AuthenticationRequirement]>([
    ['the required acr', { acr: 'gold' }, GOLD],
    ['one of several accepted acr values', { acr: 'silver' }, { acr: ['gold', 'silver'] }],
    ['a login of this second', { auth_time: Math.floor(NOW) }, RECENT],
    ['a login of exactly the maximum age', { auth_time: NOW - 60 }, RECENT],
    ['a login that exceeds the maximum age by the tolerance', { auth_time: NOW - 65 }, RECENT],
    ['a login that is in the future by the tolerance', { auth_time: NOW + 5 }, RECENT],
    ['a maximum age of 0, within the tolerance', { auth_time: NOW - 5 }, { maxAgeSeconds: 0 }],
    ['the required acr and age', { acr: 'gold', auth_time: NOW }, { ...GOLD, ...RECENT }],
    ['the required acr of a very old login', { acr: 'gold', auth_time: 0 }, GOLD],
    ['a recent login without acr', { auth_time: NOW }, RECENT],
  ])('accepts %s (RS-11)', (_, claims, requirement) => {
    expect(refusalOf(claims, requirement)).toBeUndefined();
  });

  it.each<[string, Readonly<Record<string, unknown>>, AuthenticationRequirement, string]>([
    ['no acr', {}, GOLD, 'acr_missing'],
    ['an acr that is a list', { acr: ['gold'] }, GOLD, 'acr_missing'],
    ['an acr that is a number', { acr: 1 }, { acr: '1' }, 'acr_missing'],
    ["an acr that can't be converted to text", { acr: { toString: 1, valueOf: 1 } }, GOLD, 'acr_missing'],
    ['another acr', { acr: '1' }, GOLD, 'authentication_too_weak'],
    ['an acr in another case', { acr: 'Gold' }, GOLD, 'authentication_too_weak'],
    ['a longer acr', { acr: 'golden' }, GOLD, 'authentication_too_weak'],
    ['several acr values in one text', { acr: 'silver gold' }, GOLD, 'authentication_too_weak'],
    ['an acr that is a property of every object', { acr: 'constructor' }, GOLD, 'authentication_too_weak'],
    ['no auth_time', {}, RECENT, 'auth_time_missing'],
    ['an auth_time that is text', { auth_time: String(NOW) }, RECENT, 'auth_time_missing'],
    [
      "an auth_time that can't be converted to a number",
      { auth_time: { valueOf: 1, toString: 1 } },
      RECENT,
      'auth_time_missing',
    ],
    ['an auth_time that is null', { auth_time: null }, RECENT, 'auth_time_missing'],
    ['an infinite auth_time', { auth_time: Infinity }, RECENT, 'auth_time_missing'],
    ['an auth_time that is NaN', { auth_time: Number.NaN }, RECENT, 'auth_time_missing'],
    ['a login that is too old', { auth_time: NOW - 65.1 }, RECENT, 'authentication_too_old'],
    ['a login in the future', { auth_time: NOW + 5.1 }, RECENT, 'auth_time_in_the_future'],
    ['a weak and old login', { acr: '1', auth_time: 0 }, { ...GOLD, ...RECENT }, 'authentication_too_weak'],
    [
      'a login that is strong and too old',
      { acr: 'gold', auth_time: 0 },
      { ...GOLD, ...RECENT },
      'authentication_too_old',
    ],
  ])('refuses %s (RS-11)', (_, claims, requirement, reason) => {
    expect(refusalOf(claims, requirement)?.reason).toBe(reason);
  });

  it('names the client scope that adds a missing claim', () => {
    expect(refusalOf({}, GOLD)?.fields['hint']).toContain('client scope acr');
    expect(refusalOf({}, RECENT)?.fields['hint']).toContain('client scope basic');
    expect(refusalOf({ acr: 'bronze' }, GOLD)?.fields).toMatchObject({ acr: 'bronze' });
    expect(refusalOf({ acr: 'bronze' }, GOLD)?.fields).not.toHaveProperty('hint');
    expect(refusalOf({ acr: '1' }, GOLD)?.fields['hint']).toContain('token exchange');
    expect(refusalOf({ auth_time: NOW - 100 }, RECENT)?.fields).toMatchObject({ ageSeconds: 100 });
    expect(refusalOf({ auth_time: NOW + 100 }, RECENT)?.fields['hint']).toContain('behind Keycloak');
  });

  it('accepts exactly the ages up to the maximum age plus the tolerance', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1000, max: 100_000 }),
        fc.integer({ min: 0, max: 100_000 }),
        (age, maxAgeSeconds) => {
          const isMet = age <= maxAgeSeconds + TOLERANCE && age >= -TOLERANCE;
          expect(refusalOf({ auth_time: NOW - age }, { maxAgeSeconds }) === undefined).toBe(isMet);
        },
      ),
    );
  });
});

describe('a requirement for the login', () => {
  it.each<[string, unknown]>([
    ['neither acr nor age', {}],
    ['the value undefined', undefined],
    ['an empty list', { acr: [] }],
    ['an empty acr', { acr: '' }],
    ['an empty acr among others', { acr: ['gold', ''] }],
    ['two acr values in one text', { acr: 'gold silver' }],
    ['a quote', { acr: 'a"b' }],
    ['a backslash', { acr: 'a\\b' }],
    ['a line break', { acr: 'a\r\nb' }],
    ['a letter outside ASCII', { acr: 'größer' }],
    ['a number', { acr: 1 }],
    ['null', { acr: null }],
    ['undefined among others', { acr: ['gold', undefined] }],
    ['a negative age', { maxAgeSeconds: -1 }],
    ['half a second', { maxAgeSeconds: 0.5 }],
    ['an infinite age', { maxAgeSeconds: Infinity }],
    ['an age that is text', { maxAgeSeconds: '60' }],
    ['an age that is NaN', { maxAgeSeconds: Number.NaN }],
    ['a misspelt age beside an acr', { acr: 'gold', maxAge: 60 }],
  ])('with %s throws TypeError', (_, requirement) => {
    expect(() => authenticationDemand('here', requirement as AuthenticationRequirement)).toThrow(TypeError);
  });

  it('keeps its acr values in order of preference, without duplicates', () => {
    const acr = ['gold', 'silver', 'gold'];
    const demand = authenticationDemand('here', { acr, maxAgeSeconds: 0 });
    acr.push('none');
    expect(demand).toEqual({ acrValues: ['gold', 'silver'], maxAgeSeconds: 0 });
    expect(Object.isFrozen(demand) && Object.isFrozen(demand.acrValues)).toBe(true);
  });
});

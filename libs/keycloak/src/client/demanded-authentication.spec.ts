import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isAcrValue } from '../protocol/authentication-demand.js';
import { demandedAuthentication } from './demanded-authentication.js';

const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';
const ERROR = 'error="insufficient_user_authentication"';

const demanded = (challenge: string | undefined, status = 401) =>
  demandedAuthentication({ status, headers: challenge === undefined ? {} : { 'www-authenticate': challenge } }, TOKEN);

describe('demandedAuthentication', () => {
  it.each([
    ['no challenge', undefined, 401],
    ['another error', 'Bearer error="invalid_token", acr_values="gold"', 401],
    ['another scheme', `Basic ${ERROR}`, 401],
    ['no error', 'Bearer acr_values="gold"', 401],
    ['another status', `Bearer ${ERROR}`, 403],
  ])('is undefined for %s', (_, challenge, status) => {
    expect(demanded(challenge, status)).toBeUndefined();
  });

  it.each([
    ['both parameters', 'acr_values="gold urn:a:silver", max_age="5"', ['gold', 'urn:a:silver'], 5],
    ['an age without quotes', 'max_age=0', [], 0],
    ['only acr_values', 'acr_values=gold', ['gold'], undefined],
    ['many blanks', 'acr_values="  gold   silver "', ['gold', 'silver'], undefined],
    ['neither parameter', 'scope="orders.read"', [], undefined],
    ['a negative number', 'acr_values="gold", max_age="-1"', ['gold'], undefined],
    ['half a second', 'max_age="0.5"', [], undefined],
    ['an age that is too large', 'max_age="9999999999"', [], undefined],
    ['an escape', String.raw`acr_values="gold \"silver\"", max_age=5`, [], 5],
    ['a tab', 'acr_values="gold\tsilver"', [], undefined],
    ['a letter beyond ASCII', 'acr_values="größer"', [], undefined],
    ['eleven values', `acr_values="${'a '.repeat(11)}"`, [], undefined],
    ['a long value', `acr_values="gold ${'x'.repeat(129)}", max_age=5`, [], 5],
    ['a megabyte', `acr_values="${'x '.repeat(500_000)}", max_age=5`, [], 5],
    ["a part of the call's token (RS-23)", `acr_values="gold ${TOKEN.slice(10, 40)}", max_age=5`, [], 5],
    ["the call's token (RS-23)", `acr_values="${TOKEN}"`, [], undefined],
  ])('returns only values that are safe to forward to the caller: %s', (_, parameters, acrValues, maxAgeSeconds) => {
    expect(demanded(`Bearer realm="b", ${ERROR}, ${parameters}`)).toEqual({ acrValues, maxAgeSeconds });
  });

  it('returns only values that a decorator could demand', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^["\\, =\r\na]{0,30}$/));
    fc.assert(
      fc.property(text, text, (acr, age) => {
        const { acrValues = [], maxAgeSeconds = 0 } =
          demanded(`Bearer ${ERROR}, acr_values="${acr}", max_age=${age}`) ?? {};
        expect(acrValues.every(isAcrValue)).toBe(true);
        expect(Number.isSafeInteger(maxAgeSeconds) && maxAgeSeconds >= 0).toBe(true);
      }),
    );
  });
});

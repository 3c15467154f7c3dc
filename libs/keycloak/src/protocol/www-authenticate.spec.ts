import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { growthOf, LINEAR } from '../../spec-support/growth.js';
import { formatBearerChallenge, readBearerChallenge, readBearerRealm } from './www-authenticate.js';

/** RFC 9110 §11.2 */
function parse(header: string): Record<string, string> {
  const parameter = /(\w+)="((?:[\x20\x21\x23-\x5B\x5D-\x7E]|\\[\x20-\x7E])*)"(?:, |$)/y;
  expect(header.startsWith('Bearer ')).toBe(true);
  parameter.lastIndex = 'Bearer '.length;
  const parameters: Record<string, string> = {};
  while (parameter.lastIndex < header.length) {
    const [, name, value] = parameter.exec(header) ?? [];
    if (name === undefined || value === undefined) throw new Error(`Not a challenge: ${JSON.stringify(header)}`);
    parameters[name] = value.replaceAll(/\\(.)/g, '$1');
  }
  return parameters;
}

const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.stringMatching(/^["\\\r\n,= a]{0,20}$/));

describe('formatBearerChallenge (RFC 6750 section 3)', () => {
  it('contains only the realm if no error is given (RS-02)', () => {
    expect(formatBearerChallenge({ realm: 'service-b' })).toBe('Bearer realm="service-b"');
  });

  it('writes the error and the scope after the realm (RS-02)', () => {
    expect(formatBearerChallenge({ realm: 'service-b', error: 'insufficient_scope', scope: 'a b' })).toBe(
      'Bearer realm="service-b", error="insufficient_scope", scope="a b"',
    );
  });

  it('contains the required login in the format of RFC 9470 section 3 (RS-11)', () => {
    const header = formatBearerChallenge({
      realm: 'b',
      error: 'insufficient_user_authentication',
      acrValues: 'gold silver',
      maxAge: '5',
    });
    expect(header).toBe(
      'Bearer realm="b", error="insufficient_user_authentication", acr_values="gold silver", max_age="5"',
    );
  });

  it('returns one parsable header line for any realm and scope (RS-02)', () => {
    fc.assert(
      fc.property(anything, anything, (realm, scope) => {
        const header = formatBearerChallenge({ realm, error: 'insufficient_scope', scope, acrValues: scope });
        expect(header).toMatch(/^[\x20-\x7E]*$/);
        const printable = (value: string): string => value.replaceAll(/[^\x20-\x7E]/g, '');
        expect(parse(header)).toEqual({
          realm: printable(realm),
          error: 'insufficient_scope',
          scope: printable(scope),
          acr_values: printable(scope),
        });
      }),
    );
  });
});

const bearerChallengeError = (header: string | undefined) => readBearerChallenge(header)?.error;

describe('the error of a Bearer challenge', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['Bearer', undefined],
    ['Bearer realm="b"', undefined],
    ['Bearer realm="b", error="invalid_token"', 'invalid_token'],
    ['bearer error=invalid_token', 'invalid_token'],
    ['Basic realm="x", Bearer realm="b", error="invalid_token", error_description="gone"', 'invalid_token'],
    ['Bearer error="insufficient_scope", scope="a"', 'insufficient_scope'],
    ['Basic error="invalid_token"', undefined],
    ['NotBearer error="invalid_token"', undefined],
    ['Bearer realm="b", Basic error="invalid_token"', undefined],
    ['Negotiate abc==, Bearer error = "invalid_token"', 'invalid_token'],
    ['Bearer realm="never closed, error="invalid_token"', undefined],
    ['Bearer error="two words"', undefined],
    ['Bearer realm="a \\" error=invalid_token", error="insufficient_scope"', 'insufficient_scope'],
  ])('is read from %j as %j', (header, error) => {
    expect(bearerChallengeError(header)).toBe(error);
  });

  it('equals the error given to formatBearerChallenge, for every realm and scope (RS-02)', () => {
    const misleading = fc.oneof(
      anything,
      fc.constantFrom('error=invalid_token', 'x, error=invalid_token', 'x", error="invalid_token"', ', Bearer error=x'),
    );
    const code = fc.constantFrom('invalid_token', 'invalid_request', 'insufficient_scope');
    fc.assert(
      fc.property(misleading, misleading, code, (realm, scope, error) => {
        expect(bearerChallengeError(formatBearerChallenge({ realm, error, scope }))).toBe(error);
        expect(bearerChallengeError(formatBearerChallenge({ realm, error }))).toBe(error);
        expect(bearerChallengeError(formatBearerChallenge({ realm, scope }))).toBeUndefined();
      }),
    );
  });

  it('is undefined or a single word, even if the header contains random text', () => {
    fc.assert(
      fc.property(anything, (header) => {
        expect(bearerChallengeError(`Bearer ${header}`) ?? 'none').toMatch(/^[a-z_]+$/i);
      }),
    );
  });

  it.each<[string, (length: number) => string]>([
    ['many schemes', (length) => 'Bearer '.repeat(length / 7)],
    ['many schemes with commas', (length) => ',Bearer x'.repeat(length / 9)],
    ['quotes', (length) => '"'.repeat(length)],
    ['a quote and backslashes', (length) => `Bearer "${'\\'.repeat(length)}`],
    ['escaped quotes', (length) => `Bearer ${String.raw`"\"`.repeat(length / 3)}`],
    ['blanks', (length) => `Bearer${' '.repeat(length)}"`],
    ['names that resemble error', (length) => `Bearer ${'errors='.repeat(length / 7)}`],
    ['equal signs', (length) => '='.repeat(length)],
  ])('is read in linear time: %s', (_, inputOf) => {
    expect(growthOf(bearerChallengeError, inputOf)).toBeLessThan(LINEAR);
  });
});

describe('readBearerRealm', () => {
  it.each([
    [undefined, undefined],
    ['Bearer', undefined],
    ['Bearer realm="service-c"', 'service-c'],
    ['bearer REALM=service-c, error="invalid_token"', 'service-c'],
    ['Basic realm="proxy", Bearer realm="service-c"', 'service-c'],
    ['Basic realm="proxy"', undefined],
  ])('reads %j as %j', (header, realm) => {
    expect(readBearerRealm(header)).toBe(realm);
  });
});

describe('readBearerChallenge (RFC 9470 section 3)', () => {
  const weak = {
    error: 'insufficient_user_authentication',
    acrValues: undefined,
    maxAge: undefined,
    mayBeApplied: false,
  };

  it.each([
    ['Bearer error="insufficient_user_authentication"', weak],
    [
      'Bearer error="insufficient_user_authentication", error_description="More recent", max_age="5"',
      { ...weak, maxAge: '5' },
    ],
    [
      'bearer MAX_AGE=5, Acr_Values="a b", error=insufficient_user_authentication',
      { ...weak, maxAge: '5', acrValues: 'a b' },
    ],
    ['Bearer error="insufficient_user_authentication", acr_values="a \\" b"', { ...weak, acrValues: 'a \\" b' }],
    ['Bearer error="insufficient_user_authentication", acr_values="a", acr_values="b"', { ...weak, acrValues: 'a' }],
    ['Bearer error="insufficient_user_authentication", acr_values="never closed', weak],
    ['Bearer error="insufficient_user_authentication", Basic acr_values="a", max_age=5', weak],
    ['Bearer acr_values="a", Bearer error="insufficient_user_authentication"', weak],
    ['Bearer error="insufficient_user_authentication", Bearer error="other", max_age=5', weak],
    [
      'Bearer error="insufficient_user_authentication", applied="unknown", applied="no"',
      { ...weak, mayBeApplied: true },
    ],
    ['Bearer error="insufficient_user_authentication", Basic applied="unknown"', weak],
    ['Basic acr_values="a", max_age=5', undefined],
    ['Bearer acr_values="a", max_age=5', undefined],
  ])('reads %j', (header, read) => {
    expect(readBearerChallenge(header)).toEqual(read);
  });

  it('reads the output of formatBearerChallenge with any realm', () => {
    const value = fc.stringMatching(/^[\w.:/-]{1,20}( [\w.:/-]{1,20}){0,3}$/);
    fc.assert(
      fc.property(anything, value, fc.nat(), (realm, acrValues, age) => {
        const said = { error: 'insufficient_user_authentication', acrValues, maxAge: String(age) };
        const read = readBearerChallenge(formatBearerChallenge({ realm, ...said, applied: 'unknown' }));
        expect(read).toEqual({ ...said, mayBeApplied: true });
      }),
    );
  });

  it.each<[string, (length: number) => string]>([
    ['many challenges', (length) => 'Bearer error=1, '.repeat(length / 16)],
    ['many values', (length) => `Bearer ${'acr_values=a, '.repeat(length / 14)}`],
    ['one long value', (length) => `Bearer acr_values="${'a '.repeat(length / 2)}"`],
  ])('runs in linear time: %s', (_, inputOf) => {
    expect(growthOf(readBearerChallenge, inputOf)).toBeLessThan(LINEAR);
  });
});

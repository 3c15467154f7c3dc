import { describe, expect, it } from '@jest/globals';
import { growthOf, LINEAR } from '../../../spec-support/growth.js';
import { KnownTokens } from './known-tokens.js';
import { ObservedText } from './observed-text.js';

const look = (text: string): unknown => new ObservedText('somewhere', text).unknownJwts(new KnownTokens());
const formsIn = (text: string): readonly string[] =>
  new ObservedText('somewhere', text).unknownJwts(new KnownTokens()).map(({ form }) => form);

const HEADER = 'eyJhbGciOiJSUzI1NiJ9';
const PAYLOAD = 'eyJzdWIiOiJhbGljZSJ9';

describe('an observed text', () => {
  it.each<[string, (length: number) => string]>([
    ['backslashes', (length) => '\\'.repeat(length)],
    ['backslashes that escape nothing', (length) => String.raw`\\u0`.repeat(length / 4)],
    ['repeated beginnings of a JWT', (length) => 'eyJ'.repeat(length / 3)],
    ['repeated beginnings of a JWT with dots', (length) => 'eyJ.'.repeat(length / 4)],
    ['repeated beginnings with blanks', (length) => 'ewoey'.repeat(length / 5)],
    ['consecutive JWTs', (length) => `${HEADER}.${PAYLOAD}.`.repeat(length / 42)],
    ['zeros of a character reference', (length) => `&#x${'0'.repeat(length)}`],
    ['references without an end', (length) => '&#0'.repeat(length / 3)],
    ['base64 in pieces', (length) => 'abcdefghij '.repeat(length / 11)],
  ])('is searched in linear time: %s', (_, inputOf) => {
    expect(growthOf(look, inputOf)).toBeLessThan(LINEAR);
  });

  it.each([
    `${HEADER}.${PAYLOAD}.c2ln`,
    `${HEADER}.${PAYLOAD}`,
    `"token":"${HEADER}.${PAYLOAD}."`,
    `prefix_${HEADER}.${PAYLOAD}.c2ln`,
    `one.${HEADER}.${PAYLOAD}.c2ln`,
  ])('contains the JWT in %s', (text) => {
    expect(formsIn(text)).toEqual(['unknown JWT']);
  });

  it.each([' ', '\n ', '\r\n', '\t'])(
    'contains a JWT whose JSON has %j after the opening brace (RFC 8259 section 2)',
    (blank) => {
      const part = (member: string): string => Buffer.from(`{${blank}${member}}`).toString('base64url');
      expect(formsIn(`${part('"alg":"RS256"')}.${part('"sub":"alice"')}.c2ln`)).toEqual(['unknown JWT']);
    },
  );

  it('counts as one JWT if two JWTs overlap, and as two JWTs if they are separate', () => {
    expect(formsIn(`${HEADER}.${PAYLOAD}.${PAYLOAD}`)).toHaveLength(1);
    expect(formsIn(`${HEADER}.${PAYLOAD}.c2ln ${PAYLOAD}.${HEADER}.c2ln`)).toHaveLength(2);
    expect(formsIn(`${HEADER}.abc ${PAYLOAD}`)).toEqual([]);
  });
});

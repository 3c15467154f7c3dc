/** How long it takes to look through a text that was made to take long. */
import { describe, expect, it } from '@jest/globals';
import { growthOf, LINEAR } from '../../../spec-support/growth.js';
import { KnownTokens } from './known-tokens.js';
import { Sight } from './sight.js';

const look = (text: string): unknown => new Sight('somewhere', text).unknownIn(new KnownTokens());
const formsIn = (text: string): readonly string[] =>
  new Sight('somewhere', text).unknownIn(new KnownTokens()).map(({ form }) => form);

const HEADER = 'eyJhbGciOiJSUzI1NiJ9';
const PAYLOAD = 'eyJzdWIiOiJhbGljZSJ9';

describe('a sight', () => {
  it.each<[string, (length: number) => string]>([
    ['backslashes', (length) => '\\'.repeat(length)],
    ['backslashes that escape nothing', (length) => String.raw`\\u0`.repeat(length / 4)],
    ['what begins like a JWT, again and again', (length) => 'eyJ'.repeat(length / 3)],
    ['the same with dots', (length) => 'eyJ.'.repeat(length / 4)],
    ['JWTs in a row', (length) => `${HEADER}.${PAYLOAD}.`.repeat(length / 42)],
    ['zeros of a character reference', (length) => `&#x${'0'.repeat(length)}`],
    ['references without an end', (length) => '&#0'.repeat(length / 3)],
    ['base64 in pieces', (length) => 'abcdefghij '.repeat(length / 11)],
  ])('takes ten times as long for ten times as much: %s', (_, inputOf) => {
    expect(growthOf(look, inputOf)).toBeLessThan(LINEAR);
  });

  it.each([
    `${HEADER}.${PAYLOAD}.c2ln`,
    `${HEADER}.${PAYLOAD}`,
    `"token":"${HEADER}.${PAYLOAD}."`,
    `prefix_${HEADER}.${PAYLOAD}.c2ln`,
    `one.${HEADER}.${PAYLOAD}.c2ln`,
  ])('sees the JWT in %s', (text) => {
    expect(formsIn(text)).toEqual(['of the form of a JWT']);
  });

  it('sees one JWT where three parts could be two, and two where two stand side by side', () => {
    expect(formsIn(`${HEADER}.${PAYLOAD}.${PAYLOAD}`)).toHaveLength(1);
    expect(formsIn(`${HEADER}.${PAYLOAD}.c2ln ${PAYLOAD}.${HEADER}.c2ln`)).toHaveLength(2);
    expect(formsIn(`${HEADER}.abc ${PAYLOAD}`)).toEqual([]);
  });
});

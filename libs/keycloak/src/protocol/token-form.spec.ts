import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { respellingsOf } from '../../spec-support/respellings.js';
import { tokenText } from '../testing/token-text.js';
import { isAccessTokenJwt, isBearerToken, isCompactJws } from './token-form.js';

const decodesToItself = (part: string): boolean =>
  part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part;

describe('isCompactJws (RFC 7515 section 7.1)', () => {
  it('accepts a text only if the text has three parts in canonical base64url', () => {
    const header = fc.constantFrom('eyJhbGciOiJSUzI1NiJ9', 'eyJhbGciOiAiUlMyNTYifQ', 'eyJhbGciOiAiUlMyNTYifR');
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 9 }).map((octets) => Buffer.from(octets).toString('base64url')),
      fc.stringMatching(/^[\w-]{0,9}$/),
      fc.string({ unit: fc.constantFrom(...'Aw0_-+/=. ~é'), maxLength: 5 }),
    );
    fc.assert(
      fc.property(header, fc.array(part, { maxLength: 3 }), (first, parts) => {
        const text = [first, ...parts].join('.');
        const pieces = text.split('.');
        expect(isCompactJws(text)).toBe(pieces.length === 3 && pieces.every(decodesToItself));
      }),
      { numRuns: 3000 },
    );
  });

  it('is false for every other spelling of a token (RS-03)', () => {
    fc.assert(
      fc.property(fc.string(), (id) => {
        const text = tokenText(id);
        expect(isCompactJws(text)).toBe(true);
        expect(respellingsOf(text).filter(isCompactJws)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    '{}',
    'null',
    '{"alg":null}',
    '{"alg":"none"}',
    '{"alg":"RS256","alg":"none"}',
    '{"alg":"\\u006eone","typ":"at+jwt"}',
    '{"alg":5}',
    '{"alg":"RS256","alg":null}',
    '{"ALG":"RS256"}',
    '["alg"]',
    '"alg"',
    '{"alg":"RS256"} {}',
    '\u0000{\u0000}',
    'no JSON',
  ])('is false for the header %j, which Keycloak may report as a fault of this service (RS-03, RS-14)', (header) => {
    expect(isCompactJws(`${Buffer.from(header).toString('base64url')}.e30.AAAA`)).toBe(false);
  });

  it.each([
    '',
    '.',
    '..',
    'a.b.c',
    'AA.AA',
    'AA.AA.',
    '.AA.AA',
    'AA..AA',
    'AA.AA.AA.AA',
    'AA.AA.AA\n',
    'AA.AA.A',
    'AA.AA.AB',
  ])('is false for %j', (text) => {
    expect(isCompactJws(text)).toBe(false);
  });
});

describe('isBearerToken (RFC 6750 section 2.1)', () => {
  it('is true only for the canonical spelling of a JWT (RS-03)', () => {
    fc.assert(
      fc.property(fc.string(), (id) => {
        const text = tokenText(id, 'at+jwt');
        expect([isBearerToken(text), isAccessTokenJwt(text)]).toEqual([true, true]);
        const others = respellingsOf(text).filter((other) => other.startsWith('eyJ'));
        expect(others.filter(isBearerToken)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['opaque', true],
    ['ory_at_a-b.c~d', true],
    ['a/b+c', true],
    ['YQ==', true],
    ['YQ=', false],
    ['YQ', true],
    ['abc====', false],
    ['a/b-c', false],
    ['', false],
    ['=', false],
    ['a b', false],
    ['a,b', false],
    ['é', false],
  ])('of %j is %j', (text, expected) => {
    expect(isBearerToken(text)).toBe(expected);
  });
});

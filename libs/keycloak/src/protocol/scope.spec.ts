import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalScope, isScopeToken, parseScope } from './scope.js';

function canonicalOrError(scope: string): string | TypeError {
  try {
    return canonicalScope(scope);
  } catch (error) {
    if (error instanceof TypeError) return error;
    throw error;
  }
}

const scopeToken = fc.stringMatching(/^[\x21\x23-\x5B\x5D-\x7E]{1,12}$/);

describe('parseScope (RFC 6749 section 3.3)', () => {
  it.each([
    ['', []],
    [' ', []],
    ['b a', ['b', 'a']],
    ['a  b a ', ['a', 'b']],
    ['orders.read orders.readwrite', ['orders.read', 'orders.readwrite']],
    ['Orders.Read orders.read', ['Orders.Read', 'orders.read']],
    ['__proto__ constructor', ['__proto__', 'constructor']],
  ])('reads %j as the members %j', (scope, members) => {
    expect(parseScope(scope)).toEqual(members);
  });
});

describe('the members of a parsed scope (RS-09)', () => {
  it('are all words of the scope, and never parts of a word', () => {
    const separator = fc.stringMatching(/^ {1,3}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(scopeToken, separator)), scopeToken, (written, other) => {
        const scope = written.flat().join('');
        const members = new Set(written.map(([token]) => token));
        expect(new Set(parseScope(scope))).toEqual(members);
        expect(parseScope(scope)).toHaveLength(members.size);
        for (const near of [other, ...[...members].flatMap((token) => [`${token}x`, token.slice(0, -1), token])]) {
          expect(parseScope(scope).includes(near)).toBe(members.has(near));
        }
      }),
    );
  });

  it('are separated by spaces only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (scope) => {
        expect(parseScope(scope).every((token) => token !== '' && !token.includes(' '))).toBe(true);
        expect(new Set(parseScope(scope))).toEqual(new Set(scope.split(/ +/).filter(Boolean)));
      }),
    );
  });
});

describe('canonicalScope', () => {
  it('returns equal texts for equal sets, regardless of order and repetition', () => {
    fc.assert(
      fc.property(fc.array(scopeToken, { minLength: 1 }), (tokens) => {
        const canonical = canonicalScope(tokens.join(' '));
        expect(canonicalScope([...tokens.toReversed(), ...tokens].join('  '))).toBe(canonical);
        expect(new Set(canonical.split(' '))).toEqual(new Set(tokens));
        expect(canonical.split(' ')).toHaveLength(new Set(tokens).size);
      }),
    );
  });

  it('returns different texts for different sets', () => {
    fc.assert(
      fc.property(fc.uniqueArray(scopeToken, { minLength: 2 }), ([dropped = '', ...rest]) => {
        expect(canonicalScope([dropped, ...rest].join(' '))).not.toBe(canonicalScope(rest.join(' ')));
      }),
    );
  });

  it('is idempotent, and throws only TypeError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (scope) => {
        const written = canonicalOrError(scope);
        expect(written instanceof TypeError || canonicalScope(written) === written).toBe(true);
        expect(written instanceof TypeError).toBe(
          parseScope(scope).length === 0 || !parseScope(scope).every(isScopeToken),
        );
      }),
    );
  });

  it.each(['', '   '])('rejects an empty set: %j', (scope) => {
    expect(() => canonicalScope(scope)).toThrow(TypeError);
  });

  it.each(['a"b', 'a\\b', 'a\tb', 'a\nb', 'ä', 'a \u0000'])('rejects a member that breaks the grammar: %j', (scope) => {
    expect(() => canonicalScope(scope)).toThrow(TypeError);
  });
});

describe('isScopeToken', () => {
  it('accepts exactly the characters of the grammar (RFC 6749 section 3.3)', () => {
    const isInGrammar = (code: number): boolean =>
      code === 0x21 || (code >= 0x23 && code <= 0x5b) || (code >= 0x5d && code <= 0x7e);
    for (let code = 0; code <= 0x2ff; code += 1) {
      const character = String.fromCodePoint(code);
      expect([code, isScopeToken(character), isScopeToken(`a${character}b`)]).toEqual([
        code,
        isInGrammar(code),
        isInGrammar(code),
      ]);
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (value) => {
        expect(isScopeToken(value)).toBe([...value].every((character) => isInGrammar(character.codePointAt(0) ?? 0)));
      }),
    );
  });

  it.each([['orders.read'], ['!#[]~'], ['urn:x:y']])('accepts %j', (value) => {
    expect(isScopeToken(value)).toBe(true);
  });

  it.each([[''], ['a b'], ['a"'], ['a\r\nb'], ['a\n'], [undefined], [1], [['a']]])('rejects %j', (value) => {
    expect(isScopeToken(value)).toBe(false);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalScope, isScopeToken, parseScope } from './scope.js';

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

describe('canonicalScope', () => {
  it('writes the same set the same way, whatever its order and repetitions', () => {
    fc.assert(
      fc.property(fc.array(scopeToken, { minLength: 1 }), (tokens) => {
        const canonical = canonicalScope(tokens.join(' '));
        expect(canonicalScope([...tokens.toReversed(), ...tokens].join('  '))).toBe(canonical);
        expect(new Set(canonical.split(' '))).toEqual(new Set(tokens));
        expect(canonical.split(' ')).toHaveLength(new Set(tokens).size);
      }),
    );
  });

  it('writes different sets differently', () => {
    fc.assert(
      fc.property(fc.uniqueArray(scopeToken, { minLength: 2 }), ([dropped = '', ...rest]) => {
        expect(canonicalScope([dropped, ...rest].join(' '))).not.toBe(canonicalScope(rest.join(' ')));
      }),
    );
  });

  it.each(['', '   '])('refuses an empty set: %j', (scope) => {
    expect(() => canonicalScope(scope)).toThrow(TypeError);
  });

  it.each(['a"b', 'a\\b', 'a\tb', 'a\nb', 'ä', 'a \u0000'])('refuses a member that breaks the grammar: %j', (scope) => {
    expect(() => canonicalScope(scope)).toThrow(TypeError);
  });
});

describe('isScopeToken', () => {
  it.each([['orders.read'], ['!#[]~'], ['urn:x:y']])('takes %j', (value) => {
    expect(isScopeToken(value)).toBe(true);
  });

  it.each([[''], ['a b'], ['a"'], ['a\r\nb'], ['a\n'], [undefined], [1], [['a']]])('does not take %j', (value) => {
    expect(isScopeToken(value)).toBe(false);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { testAccessToken } from '../testing/test-access-token.js';
import { tokenText } from '../testing/token-text.js';
import { clientCredentialsRequest, tokenExchangeRequest, tokenRequestKey, type TokenRequest } from './token-request.js';

const TEXT_OF_ALICE = tokenText('alice');
const alice = testAccessToken({ subject: 'alice', text: TEXT_OF_ALICE });
const bob = testAccessToken({ subject: 'bob' });
const key = (request: TokenRequest, issuer = 'i', client = 'c'): string => tokenRequestKey(issuer, client, request);

describe('a token request', () => {
  it.each(['', ' ', 'a"b'])('is rejected with the scope %j', (scope) => {
    expect(() => clientCredentialsRequest(scope)).toThrow(TypeError);
    expect(() => tokenExchangeRequest(alice, 'service-c', scope)).toThrow(TypeError);
  });

  it.each([undefined, null, 'a.b.c', { hash: 'h' }])(
    'needs a verified token for an exchange, not %j (TX-04)',
    (token) => {
      expect(() => tokenExchangeRequest(token as never, 'service-c', 'orders.read')).toThrow(TypeError);
    },
  );

  it('needs an audience for an exchange, since the server must not choose the audience (TX-01)', () => {
    for (const none of ['', undefined, null, ['stock']]) {
      expect(() => tokenExchangeRequest(alice, none as never, 'orders.read')).toThrow(TypeError);
    }
  });
});

describe('tokenRequestKey', () => {
  it('is equal for equal sets of scopes (CC-03)', () => {
    expect(key(clientCredentialsRequest('a b'))).toBe(key(clientCredentialsRequest('b  a b')));
    expect(key(tokenExchangeRequest(alice, 'x', 'a b'))).toBe(key(tokenExchangeRequest(alice, 'x', 'b a')));
  });

  it('differs for every value that the token depends on (CC-03)', () => {
    const keys = [
      key(clientCredentialsRequest('a')),
      key(clientCredentialsRequest('a b')),
      key(clientCredentialsRequest('a'), 'other'),
      key(clientCredentialsRequest('a'), 'i', 'other'),
      key(tokenExchangeRequest(alice, 'x', 'a')),
      key(tokenExchangeRequest(bob, 'x', 'a')),
      key(tokenExchangeRequest(alice, 'y', 'a')),
      key(tokenExchangeRequest(alice, 'x', 'a b')),
      key(tokenExchangeRequest(alice, 'x","a', 'a')),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  describe('with arbitrary requests (CC-03, TX-05)', () => {
    const scopeToken = fc.oneof(fc.constantFrom('a', 'b', 'ab', 'null', '[]'), fc.stringMatching(/^[!#-[\]-~]{1,6}$/));
    // The constants often produce equal requests, and some constants would be ambiguous in a joined key.
    const text = fc.oneof(
      fc.constantFrom('x', 'y', 'x","y', 'x,y', 'x y', 'null', '\n', '__proto__'),
      fc.string({ minLength: 1 }),
    );
    const wanted = fc.record({
      issuer: text,
      client: text,
      audience: fc.option(text),
      subject: text,
      scopes: fc.uniqueArray(scopeToken, { minLength: 1, maxLength: 4 }),
    });
    type Wanted = typeof wanted extends fc.Arbitrary<infer T> ? T : never;

    const keyOf = ({ issuer, client, audience, subject, scopes }: Wanted): string =>
      key(
        audience === null
          ? clientCredentialsRequest(scopes.join(' '))
          : tokenExchangeRequest(testAccessToken({ text: `token of ${subject}` }), audience, scopes.join(' ')),
        issuer,
        client,
      );

    it('does not depend on the order and repetition of scopes', () => {
      const shuffled = wanted.chain((one) =>
        fc.tuple(
          fc.constant(one),
          fc.shuffledSubarray(one.scopes, { minLength: one.scopes.length }),
          fc.subarray(one.scopes),
        ),
      );
      fc.assert(
        fc.property(shuffled, ([one, scopes, twice]) => {
          expect(keyOf({ ...one, scopes: [...scopes, ...twice] })).toBe(keyOf(one));
        }),
      );
    });

    it('differs if the issuer, client, audience, grant, scope or subject differs', () => {
      const changed = fc.tuple(wanted, wanted, fc.constantFrom('issuer', 'client', 'audience', 'subject', 'scopes'));
      fc.assert(
        fc.property(changed, ([one, another, field]) => {
          const other = { ...one, [field]: another[field as keyof Wanted] };
          // Some changes have no effect, for example a new subject in a client credentials request.
          fc.pre(JSON.stringify(canonical(other)) !== JSON.stringify(canonical(one)));
          expect(keyOf(other)).not.toBe(keyOf(one));
        }),
        { numRuns: 500 },
      );
    });

    it('is equal only if the requests are equal', () => {
      fc.assert(
        fc.property(wanted, wanted, (one, other) => {
          const isSame = JSON.stringify(canonical(one)) === JSON.stringify(canonical(other));
          expect(keyOf(one) === keyOf(other)).toBe(isSame);
        }),
        { numRuns: 500 },
      );
    });

    const canonical = ({ subject, audience, scopes, ...rest }: Wanted): object => ({
      ...rest,
      audience,
      scopes: scopes.toSorted(),
      ...(audience === null ? {} : { subject }),
    });
  });

  it('does not contain the subject token (RS-23)', () => {
    expect(key(tokenExchangeRequest(alice, 'x', 'a'))).not.toContain(TEXT_OF_ALICE);
  });
});

/** What counts as a token that somebody got to see. */
import { describe, expect, it } from '@jest/globals';
import { leaksIn } from './leaks.js';

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const TOKEN = `${part({ alg: 'RS256' })}.${part({ sub: 'alice' })}.c2ln`;
const UNSIGNED = `${part({ alg: 'none' })}.${part({ sub: 'alice' })}.`;
const OPAQUE = 'an-opaque-token';

describe('leaks', () => {
  it.each([
    ['a signed token in a page', `<p>${TOKEN}</p>`, {}],
    ['an unsigned one in an address', `http://localhost/?id_token_hint=${UNSIGNED}`, {}],
    ['an issued one of whatever form', JSON.stringify({ token: OPAQUE }), {}],
    ['an issued one where others may be', `KEYCLOAK_IDENTITY=${OPAQUE}`, { mayLookLikeToken: true }],
  ])('are found: %s (BF-07)', (where, text, more) => {
    expect(
      leaksIn(
        [
          { where: 'elsewhere', text: 'nothing' },
          { where, text, ...more },
        ],
        [OPAQUE],
      ),
    ).toEqual([where]);
  });

  it('are not: a cookie of Keycloak, a sealed login, a fingerprint', () => {
    const sealed = `${part({ alg: 'dir', enc: 'A256GCM' })}..aXY.dGV4dA.dGFn`;
    const sights = [
      { where: 'a cookie of Keycloak', text: TOKEN, mayLookLikeToken: true },
      { where: 'a login', text: `login-1=${sealed}` },
      { where: 'a fingerprint', text: 'token:0123abcd' },
    ];
    expect(leaksIn(sights, [OPAQUE])).toEqual([]);
  });
});

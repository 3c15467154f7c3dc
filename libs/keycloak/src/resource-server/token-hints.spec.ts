import { describe, expect, it } from '@jest/globals';
import { ClockSkew } from '../authorization-server/clock-skew.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { BearerErrorReason } from '../protocol/refusal-reasons.js';
import { tokenText } from '../testing/token-text.js';
import { addHint, type Skew } from './token-hints.js';

const NOW = 1_700_000_000;
const ISSUER = 'https://sso.example.com/realms/shop';
const OURS = { iss: ISSUER, aud: 'orders', azp: 'web', exp: NOW + 60 };

const text = (claims: unknown): string =>
  ['e30', Buffer.from(JSON.stringify(claims)).toString('base64url'), 'c2ln'].join('.');

function hinted(
  reason: BearerErrorReason,
  token: string,
  skew?: Skew,
  source: 'introspection' | 'signature' = 'introspection',
): { hint?: string; unverified?: object } {
  const refusal = new BearerError('invalid_token', { reason });
  const options = { issuer: ISSUER, audience: 'orders', clockToleranceSeconds: 5, source, nowSeconds: NOW, skew };
  return addHint(refusal, token, options).fields;
}

describe('a token for another audience', () => {
  it.each<[unknown, RegExp]>([
    [
      ['ledger', 'account'],
      /^The token is for ledger, but this service is orders\. .*If this service is ledger, correct clientId/,
    ],
    [
      ['realm-management', 'ledger', 'broker', 'stock', 'account', 'web'],
      /^The token is for ledger, stock and web, but .* wrong address for ledger, stock or web, .*If this service is ledger, stock or web, correct/,
    ],
    [tokenText('stolen'), /^The token is for \*\*\*, but this service is orders\./],
  ])('gets a hint that compares its audience with the client id: aud %j', (aud, hint) => {
    for (const reason of ['other_audience', 'inactive'] as const) {
      const said = hinted(reason, text({ ...OURS, aud })).hint;
      expect(said).toMatch(hint);
      expect(said).toMatch(/Don't add a mapper for orders/);
      expect(said).not.toMatch(/has no audience mapper/);
    }
  });
});

describe('a token that Keycloak accepts, but that names another issuer', () => {
  const claims = { ...OURS, iss: 'https://new.example.com/realms/shop' };

  it.each([
    [
      'introspection',
      /^Keycloak reports it as active, so the issuer of the realm is https:\/\/new\.example\.com\/realms\/shop now/,
    ],
    ['signature', /^A key of the realm signed it, so the issuer of the realm is https:\/\/new\.example\.com/],
  ] as const)('shows by %s that the issuer of the realm has changed', (source, hint) => {
    const said = hinted('other_issuer', text(claims), undefined, source).hint;
    expect(said).toMatch(hint);
    expect(said).toContain(`this service expects ${ISSUER}`);
  });
});

describe('an inactive token', () => {
  it.each<[string, object, RegExp]>([
    ['for another service', { ...OURS, aud: ['ledger', 'account'] }, /for ledger, but this service is orders/],
    [
      'for no service',
      { ...OURS, aud: ['account', 'broker'] },
      /^The token names no service, only account and broker, clients of Keycloak itself\. Keycloak reports .* requested a scope of orders/,
    ],
    [
      'for nobody',
      { ...OURS, aud: undefined },
      /no audience, .* requested a scope of orders, the user has the role .* an audience mapper for orders\. Don't add/,
    ],
    ['of another realm', { ...OURS, iss: 'https://sso.example.com/realms/other' }, /names another issuer/],
    ['that has expired', { ...OURS, exp: NOW - 7 }, /expired 7 s ago/],
    [
      'that looks good',
      OURS,
      /revoked, its session ended, its user or client was disabled, the realm has a new issuer or signing key, or it is forged/,
    ],
    ['without claims', {}, /no readable claims/],
  ])('gets the matching hint: %s', (_, claims, hint) => {
    expect(hinted('inactive', text(claims)).hint).toMatch(hint);
  });

  it('has log fields that compare its claims with the configuration', () => {
    expect(hinted('inactive', text(OURS)).unverified).toEqual({
      issMatches: true,
      audMatches: true,
      azp: 'web',
      expiresInSeconds: 60,
    });
    const stolen = tokenText('stolen');
    const { unverified, hint } = hinted(
      'inactive',
      text({ iss: stolen, aud: [`a\nERROR b`, stolen], azp: 'x'.repeat(500), exp: 'never' }),
    );
    expect(JSON.stringify([unverified, hint])).not.toContain(stolen.slice(0, 24));
    expect(unverified).toMatchObject({ iss: '***', aud: 'a ERROR b ***' });
    expect(JSON.stringify(unverified).length).toBeLessThan(600);
  });

  it.each(['', 'x', 'a.b', 'a.!!.c', `a.${'x'.repeat(20_000)}.c`, text(null), text([1]), text('text')])(
    'gets a hint that it has no readable claims: %#',
    (token) => {
      expect(hinted('inactive', token).hint).toBe('The token has no readable claims.');
    },
  );
});

describe('a hint about the clock', () => {
  it.each<[BearerErrorReason, object, string]>([
    ['expired', { exp: NOW - 400 }, "this service's clock is ahead of Keycloak's by at least 400 s"],
    ['issued_in_the_future', { iat: NOW + 30 }, "this service's clock is behind Keycloak's by at least 30 s"],
    ['not_yet_valid', { nbf: NOW + 30 }, "this service's clock is behind Keycloak's by at least 30 s"],
  ])('explains %s by the clock, because Keycloak found the token active', (reason, claims, hint) => {
    expect(hinted(reason, text(claims)).hint).toContain(hint);
  });

  it('uses the measured clock skew if the skew exceeds the tolerance', () => {
    const clock = { epochSeconds: () => NOW, monotonicMs: () => 0 };
    const skew = new ClockSkew(clock);
    expect(skew.measured).toBeUndefined();
    skew.observeIssuedAt(NOW - 3600);
    expect(hinted('expired', text({ exp: NOW - 400 }), skew.measured).hint).toBe(
      "This service's clock is ahead of Keycloak's by 3600 s, measured by the iat of a token that it has just issued.",
    );
    skew.observeHeader({ date: new Date((NOW + 60) * 1000).toUTCString() });
    for (const odd of [{}, { date: 'yesterday' }]) skew.observeHeader(odd);
    skew.observeHeader({ date: new Date((NOW - 600) * 1000).toUTCString(), age: '600' });
    for (const odd of [undefined, 'x', NaN]) skew.observeIssuedAt(odd);
    expect(hinted('inactive', text(OURS), skew.measured).hint).toBe(
      "This service's clock is behind Keycloak's by 60 s, measured by its Date header.",
    );
    expect(hinted('expired', text({ exp: NOW - 400 }), skew.measured).hint).toContain('ahead of');
    skew.observeHeader({ date: new Date((NOW + 2) * 1000).toUTCString(), age: '0' });
    expect(hinted('expired', text({ exp: NOW - 400 }), skew.measured).hint).toContain('at least 400 s');
  });

  it('is not added to the refusal of a revoked token', () => {
    expect(hinted('revoked', text(OURS))).toEqual({});
  });
});

describe('a token that was verified by its signature', () => {
  const signed = (reason: BearerErrorReason, claims: object, skew?: Skew) =>
    hinted(reason, text(claims), skew, 'signature').hint;

  it.each<[BearerErrorReason, object, RegExp]>([
    [
      'expired',
      { ...OURS, exp: NOW - 7 },
      /^The token expired 7 s ago by the clock of this service, which was never compared with the clock of Keycloak\.$/,
    ],
    [
      'issued_in_the_future',
      { ...OURS, iat: NOW + 9 },
      /^Keycloak signed the token, so this service's clock is behind Keycloak's by at least 9 s/,
    ],
    ['signing_key_unknown', { ...OURS, iss: 'https://sso.example.com/realms/other' }, /names another issuer/],
    ['signing_key_unknown', { ...OURS, exp: NOW - 7 }, /expired 7 s ago\. Keycloak may have removed its key/],
    ['signing_key_unknown', OURS, /removed that key, or the token is forged/],
    [
      'lightweight_token',
      { iss: ISSUER, azp: 'web' },
      /lightweight access tokens to web, .*\(client\.use\.lightweight\.access\.token\.enabled/,
    ],
  ])('gets the matching hint: %s', (reason, claims, hint) => {
    expect(signed(reason, claims)).toMatch(hint);
  });

  it('gets a hint with the measured clock skew', () => {
    expect(signed('expired', { ...OURS, exp: NOW - 7 }, { aheadSeconds: 90, by: 'its Date header' })).toMatch(
      /ahead of Keycloak's by 90 s/,
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { BearerError } from '../protocol/bearer-error.js';
import { PROFILES, TOKEN_PROFILES, type ProfileName } from '../protocol/token-profile.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { verifyClaims } from '../../spec-support/verify-claims.js';
import { type ClaimsSource } from './claims-verifier.js';

const NOW = 1_700_000_000;
const ISSUER = 'https://sso.example.com/tenant';

type Bend = Readonly<Record<string, unknown>>;

const GOOD = {
  keycloak: { typ: 'Bearer', azp: 'web' },
  rfc9068: { client_id: 'web', jti: 'j1', iat: NOW - 10 },
  rfc7662: { client_id: 'web', token_type: 'Bearer', username: 'alice' },
} as const;

function verify(profile: ProfileName, bend: Bend, source: ClaimsSource = 'introspection'): VerifiedAccessToken {
  const claims = {
    active: true,
    iss: ISSUER,
    sub: 'alice-id',
    aud: 'orders',
    exp: NOW + 60,
    ...GOOD[profile],
    ...bend,
  };
  const given = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
  const options = {
    issuer: ISSUER,
    audience: 'orders',
    clockToleranceSeconds: 5,
    permissions: undefined,
    profile: TOKEN_PROFILES[profile],
  };
  const clock = { epochSeconds: () => NOW, monotonicMs: () => 0 };
  const verified = verifyClaims('text', source, Object.freeze(given), options, clock, { denies: () => false });
  if (verified instanceof Promise) throw new TypeError('not there at once');
  return verified;
}

function verdict(profile: ProfileName, bend: Bend, source?: ClaimsSource): string {
  try {
    verify(profile, bend, source);
    return 'accepted';
  } catch (error) {
    if (error instanceof BearerError && error.code === 'invalid_token') return error.reason;
    throw error;
  }
}

const verdicts = (bend: Bend): readonly string[] => PROFILES.map((profile) => verdict(profile, bend));

const NO_ACCESS_TOKEN = 'not_an_access_token';

/** The three columns of results are in the order of `PROFILES`. */
const TABLE: readonly (readonly [string, Bend, readonly [string, string, string]])[] = [
  ['valid claims', {}, ['accepted', 'accepted', 'accepted']],
  ['active that is a string (RS-05)', { active: 'true' }, ['inactive', 'inactive', 'inactive']],
  ['no active (RS-05)', { active: undefined }, ['inactive', 'inactive', 'inactive']],
  ['no aud (RS-06)', { aud: undefined }, ['aud_missing', 'aud_missing', 'aud_missing']],
  ['another aud (RS-06)', { aud: ['ledger'] }, ['other_audience', 'other_audience', 'other_audience']],
  ['two aud, one for this service (RS-06)', { aud: ['ledger', 'orders'] }, ['accepted', 'accepted', 'accepted']],
  ['another iss (RS-07)', { iss: `${ISSUER}/` }, ['other_issuer', 'other_issuer', 'other_issuer']],
  ['no iss (RS-07)', { iss: undefined }, ['iss_missing', 'iss_missing', 'accepted']],
  ['iss that is null (RS-07)', { iss: null }, ['iss_missing', 'iss_missing', 'iss_missing']],
  ['no exp (RS-07)', { exp: undefined }, ['exp_missing', 'exp_missing', 'exp_missing']],
  ['an exp in the past (RS-07)', { exp: NOW - 5 }, ['expired', 'expired', 'expired']],
  ['nbf in the future (RS-07)', { nbf: NOW + 60 }, ['not_yet_valid', 'not_yet_valid', 'not_yet_valid']],
  ['no iat', { iat: undefined }, ['accepted', 'iat_missing', 'accepted']],
  ['no jti', { jti: undefined }, ['accepted', 'jti_missing', 'accepted']],
  ['a jti that is a number', { jti: 7 }, ['jti_malformed', 'jti_malformed', 'jti_malformed']],
  ['a user without sub', { sub: undefined }, ['sub_missing', 'sub_missing', 'sub_missing']],
  ['no sub and no user', { sub: undefined, username: undefined }, ['sub_missing', 'sub_missing', 'accepted']],
  ['sub that is null', { sub: null, username: undefined }, ['sub_missing', 'sub_missing', 'sub_missing']],
  ['a sub that is reserved for clients', { sub: 'client:web' }, ['accepted', 'sub_reserved', 'sub_reserved']],
  ['no client_id', { client_id: undefined }, ['accepted', 'client_missing', 'client_missing']],
  ['azp without client_id', { azp: 'web', client_id: undefined }, ['accepted', 'client_missing', 'client_missing']],
  [
    'neither user nor client',
    { sub: undefined, username: undefined, client_id: undefined, azp: undefined },
    ['sub_missing', 'sub_missing', 'sub_missing'],
  ],
  ['typ of an ID token (RS-08)', { typ: 'ID' }, [NO_ACCESS_TOKEN, NO_ACCESS_TOKEN, NO_ACCESS_TOKEN]],
  ['typ of a refresh token (RS-08)', { typ: 'Refresh' }, [NO_ACCESS_TOKEN, NO_ACCESS_TOKEN, NO_ACCESS_TOKEN]],
  ['typ of an offline token (RS-08)', { typ: 'Offline' }, [NO_ACCESS_TOKEN, NO_ACCESS_TOKEN, NO_ACCESS_TOKEN]],
  ['typ of a logout token (RS-08)', { typ: 'Logout' }, [NO_ACCESS_TOKEN, NO_ACCESS_TOKEN, NO_ACCESS_TOKEN]],
  ['typ that is a list (RS-08)', { typ: ['Bearer'] }, [NO_ACCESS_TOKEN, NO_ACCESS_TOKEN, NO_ACCESS_TOKEN]],
  ['no typ (RS-08)', { typ: undefined }, [NO_ACCESS_TOKEN, 'accepted', 'accepted']],
  ['typ of RFC 9068', { typ: 'at+jwt' }, [NO_ACCESS_TOKEN, 'accepted', 'accepted']],
  ['no token_type', { token_type: undefined }, ['accepted', 'accepted', 'accepted']],
  ['token_type in another case', { token_type: 'bearer' }, ['accepted', 'accepted', 'accepted']],
  ['another token_type (RS-18)', { token_type: 'DPoP' }, ['accepted', NO_ACCESS_TOKEN, NO_ACCESS_TOKEN]],
  ['token_type that is null', { token_type: null }, ['accepted', NO_ACCESS_TOKEN, NO_ACCESS_TOKEN]],
  [
    'token_use of a refresh token (RS-08)',
    { token_use: 'refresh_token' },
    ['accepted', NO_ACCESS_TOKEN, NO_ACCESS_TOKEN],
  ],
  ['token_use of an access token', { token_use: 'access_token' }, ['accepted', 'accepted', 'accepted']],
  ['nonce, as an ID token has it (RS-08)', { nonce: 'n' }, ['accepted', NO_ACCESS_TOKEN, NO_ACCESS_TOKEN]],
  ['at_hash, as an ID token has it (RS-08)', { at_hash: 'h' }, ['accepted', NO_ACCESS_TOKEN, NO_ACCESS_TOKEN]],
  ['events, as a logout token has it (RS-08)', { events: {} }, ['accepted', NO_ACCESS_TOKEN, NO_ACCESS_TOKEN]],
  ['bound to a key (RS-18)', { cnf: { jkt: 'k' } }, ['sender_constrained', 'sender_constrained', 'sender_constrained']],
];

describe('the claims of a token, by profile: keycloak, rfc9068, rfc7662', () => {
  it.each(TABLE)('%s', (_case, bend, expected) => {
    expect(verdicts(bend)).toEqual(expected);
  });

  it('are checked equally after introspection and after a signature check with the profile rfc9068', () => {
    for (const [, { active: _, ...bend }, [, expected]] of TABLE.filter(([, claims]) => !('active' in claims))) {
      expect([bend, verdict('rfc9068', bend, 'signature')]).toEqual([bend, expected]);
    }
  });

  it.each(['rfc9068', 'rfc7662'] as const)(
    'are refused by the profile %s for every typ that the profile keycloak refuses (RS-08)',
    (profile) => {
      for (const typ of ['ID', 'Refresh', 'Offline', 'Logout', 'bearer', 'JWT', '', null, 7, ['Bearer'], {}]) {
        expect(verdict('keycloak', { typ })).toBe(NO_ACCESS_TOKEN);
        expect([typ, verdict(profile, { typ })]).toEqual([typ, NO_ACCESS_TOKEN]);
      }
    },
  );
});

describe('the subject of a token', () => {
  it.each(PROFILES)('is the sub of the user (%s)', (profile) => {
    expect(verify(profile, {})).toMatchObject({ issuer: ISSUER, subject: 'alice-id', clientId: 'web' });
  });

  it.each(['rfc9068', 'rfc7662'] as const)(
    "differs between a user and a client whose id equals the user's sub: %s (RFC 9068 section 5)",
    (profile) => {
      const clients = verify(profile, { client_id: 'alice-id', sub: 'alice-id', username: undefined });
      expect(clients).toMatchObject({ subject: 'client:alice-id', clientId: 'alice-id' });
      expect(clients.claims.sub).toBe('client:alice-id');
      expect(clients.subject).not.toBe(verify(profile, {}).subject);
    },
  );

  it('is the client if the server names no user (RFC 7662 section 2.2)', () => {
    const token = verify('rfc7662', { sub: undefined, username: undefined, iss: undefined });
    expect(token).toMatchObject({ issuer: ISSUER, subject: 'client:web', clientId: 'web' });
    expect(token.claims).toMatchObject({ iss: ISSUER, sub: 'client:web' });
  });

  it('causes sub_missing if the server names a user and sends no sub', () => {
    expect(verdict('rfc7662', { sub: undefined })).toBe('sub_missing');
    expect(verdict('rfc7662', { sub: undefined, username: undefined, preferred_username: 'alice' })).toBe(
      'sub_missing',
    );
  });

  it('is the sub from Keycloak, even if the sub equals the client id', () => {
    expect(verify('keycloak', { azp: 'alice-id' }).subject).toBe('alice-id');
  });
});

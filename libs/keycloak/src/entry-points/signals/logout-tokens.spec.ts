import { beforeEach, describe, expect, it } from '@jest/globals';
import { ISSUER } from '../../../spec-support/one-issuer.js';
import { ecSigner, encoded, hmacSigned, rsaSigner, type Json } from '../../../spec-support/signers.js';
import { StillClock } from '../../../spec-support/still-clock.js';
import { AuthorizationServerError } from '../../index.js';
import { SigningKeys } from '../jws/signing-keys.js';
import { LogoutTokenError } from './logout-claims.js';
import { LogoutTokens } from './logout-tokens.js';

const [RSA, EC, ROTATED, STRANGERS] = [rsaSigner(), ecSigner(), ecSigner(), rsaSigner()];
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

let clock: StillClock;
let published: unknown;
let readings: number[];
let tokens: LogoutTokens;
let number = 0;

beforeEach(() => {
  clock = new StillClock();
  published = { keys: [RSA.jwk, EC.jwk] };
  readings = [];
  tokens = made();
});

function made(clockToleranceSeconds = 0): LogoutTokens {
  const readKeys = async (): Promise<unknown> => {
    readings.push(clock.monotonicMs());
    if (published instanceof Error) throw published;
    return published;
  };
  const wait = async (ms: number): Promise<void> => clock.advance(ms / 1000);
  const keys = new SigningKeys({ readKeys, clock, log: SILENT }, { maxKeyAgeSeconds: 600 }, wait);
  return new LogoutTokens({ issuer: ISSUER, clientId: 'service-a', clockToleranceSeconds }, keys, clock);
}

function claims(change: Json = {}): Json {
  number += 1;
  const now = clock.date;
  const good = { iss: ISSUER, aud: 'service-a', iat: now, exp: now + 120, jti: `j${number}`, events: { [EVENT]: {} } };
  return { ...good, sub: 'alice-id', sid: 's1', ...change };
}

const TYPE = { typ: 'logout+jwt' };
const signed = (change: Json = {}, header: Json = {}, by = RSA): string =>
  by.sign(claims(change), { ...TYPE, ...header });

async function outcomeOf(token: string): Promise<string> {
  try {
    await tokens.check(token);
    return 'accepted';
  } catch (error) {
    if (error instanceof LogoutTokenError || error instanceof AuthorizationServerError) return error.reason;
    throw error;
  }
}

describe('LogoutTokens', () => {
  it('returns the session and the user that a token names (BF-09)', async () => {
    const same = { issuer: ISSUER, issuedAt: clock.date, tokenId: expect.any(String), endsOffline: false };
    expect(await tokens.check(signed())).toEqual({ ...same, sessionId: 's1', subject: 'alice-id' });
    expect(await tokens.check(signed({ sid: undefined }))).toEqual({ ...same, subject: 'alice-id' });
    expect(await tokens.check(signed({ sub: undefined }))).toEqual({ ...same, sessionId: 's1' });
  });

  it.each([
    [true, true],
    [false, false],
    ['true', false],
    [{}, false],
  ])('reads revoke_offline_access %j as endsOffline %s (BF-09)', async (word, endsOffline) => {
    const events = { [EVENT]: {}, revoke_offline_access: word };
    expect(await tokens.check(signed({ events }))).toMatchObject({ sessionId: 's1', endsOffline });
  });

  it.each<[string, () => string]>([
    ['that is signed with a second key of the issuer', () => signed({}, {}, EC)],
    ['for several clients', () => signed({ aud: ['other', 'service-a'] })],
    ['whose events have more members', () => signed({ events: { [EVENT]: { reason: 'x' }, 'https://other': {} } })],
    ['that has the type with the prefix application/', () => signed({}, { typ: 'application/logout+JWT' })],
    ['that has the longest allowed lifetime', () => signed({ exp: clock.date + 300 })],
    ['from an issuer whose clock is some seconds ahead', () => signed({ iat: clock.date + 5, nbf: clock.date + 5 })],
    ['that has the highest allowed age', () => signed({ iat: clock.date - 125 })],
  ])('accepts a token %s (BF-09)', async (_, token) => {
    expect(await outcomeOf(token())).toBe('accepted');
  });

  const pem = (): string => RSA.publicKey.export({ type: 'spki', format: 'pem' }).toString();

  it.each<[string, () => string, string]>([
    ['of another type', () => signed({}, { typ: 'JWT' }), 'not_a_logout_token'],
    ['that is an access token', () => signed({}, { typ: 'at+jwt' }), 'not_a_logout_token'],
    ['without a type', () => signed({}, { typ: undefined }), 'not_a_logout_token'],
    ['whose type is not a text', () => signed({}, { typ: [TYPE.typ] }), 'not_a_logout_token'],
    ['without a signature', () => `${encoded({ alg: 'none', ...TYPE })}.${encoded(claims())}.`, 'token_malformed'],
    ['of alg none', () => signed({}, { alg: 'none' }), 'token_malformed'],
    ['of alg None', () => signed({}, { alg: 'None' }), 'algorithm_not_allowed'],
    [
      'that is signed with HS256 and the public key as the secret',
      () => hmacSigned('HS256', pem(), claims(), { ...TYPE, kid: RSA.jwk.kid }),
      'algorithm_not_allowed',
    ],
    ['with a critical extension (crit)', () => signed({}, { crit: ['exp'] }), 'critical_header_unknown'],
    ['that names no key', () => signed({}, { kid: undefined }), 'signing_key_unknown'],
    ['of another issuer', () => signed({ iss: `${ISSUER}2` }), 'other_issuer'],
    ['for another client', () => signed({ aud: 'service-b' }), 'other_audience'],
    ['for a client whose id has the same beginning', () => signed({ aud: ['service-ab'] }), 'other_audience'],
    ['that has no audience', () => signed({ aud: undefined }), 'other_audience'],
    ['that is too old', () => signed({ iat: clock.date - 126 }), 'too_old'],
    ['that has expired', () => signed({ iat: clock.date - 100, exp: clock.date - 5 }), 'expired'],
    ['whose lifetime is too long', () => signed({ exp: clock.date + 301 }), 'lives_too_long'],
    ['from the future', () => signed({ iat: clock.date + 6 }), 'issued_in_the_future'],
    ['that is not valid yet', () => signed({ nbf: clock.date + 6 }), 'not_yet_valid'],
    ['without iat', () => signed({ iat: undefined }), 'times_missing'],
    ['without exp', () => signed({ exp: undefined }), 'times_missing'],
    ['whose times are text', () => signed({ iat: String(clock.date) }), 'times_missing'],
    ['with a nonce', () => signed({ nonce: 'n' }), 'has_a_nonce'],
    ['that has the nonce null', () => signed({ nonce: null }), 'has_a_nonce'],
    ['without events', () => signed({ events: undefined }), 'not_a_logout_event'],
    [
      'of another event',
      () => signed({ events: { 'http://schemas.openid.net/event/other': {} } }),
      'not_a_logout_event',
    ],
    ['whose event is not an object', () => signed({ events: { [EVENT]: true } }), 'not_a_logout_event'],
    ['whose events are a list', () => signed({ events: [EVENT] }), 'not_a_logout_event'],
    ['that names no user and no session', () => signed({ sub: undefined, sid: undefined }), 'neither_sub_nor_sid'],
    ['whose sid is not a text', () => signed({ sid: 1 }), 'malformed_sub_or_sid'],
    ['whose sid is empty', () => signed({ sid: '' }), 'malformed_sub_or_sid'],
    ['whose sub is too long', () => signed({ sub: 'x'.repeat(1025) }), 'malformed_sub_or_sid'],
    ['without jti', () => signed({ jti: undefined }), 'jti_missing'],
    ['with an empty jti', () => signed({ jti: '' }), 'jti_missing'],
    ['whose header is not JSON', () => 'a.b.c', 'token_malformed'],
    ['that ends with a padding character', () => `${signed()}=`, 'token_malformed'],
    ['whose claims are a list', () => RSA.sign('[1]', TYPE), 'token_malformed'],
    [
      'that has two sid claims',
      () => RSA.sign(JSON.stringify(claims()).replace('{', '{"sid":"s0",'), TYPE),
      'token_malformed',
    ],
  ])('refuses a token %s without reading keys (BF-09)', async (_, token, reason) => {
    expect([await outcomeOf(token()), readings]).toEqual([reason, []]);
  });

  it('accepts a token within the clock tolerance of the module (BF-09)', async () => {
    tokens = made(30);
    const now = clock.date;
    const outcomes = [
      await outcomeOf(signed({ iat: now + 30 })),
      await outcomeOf(signed({ iat: now + 31 })),
      await outcomeOf(signed({ iat: now - 100, exp: now - 29 })),
      await outcomeOf(signed({ iat: now - 100, exp: now - 30 })),
      await outcomeOf(signed({ iat: now - 150 })),
    ];
    expect(outcomes).toEqual(['accepted', 'issued_in_the_future', 'accepted', 'expired', 'accepted']);
  });

  it.each<[string, () => string, string]>([
    ['whose key is published for another algorithm', () => signed({}, { alg: 'PS256' }), 'algorithm_not_allowed'],
    ['that is signed with an unknown key', () => signed({}, {}, STRANGERS), 'signing_key_unknown'],
    [
      'that a stranger signed with the key id of the issuer',
      () => signed({}, { kid: RSA.jwk.kid }, STRANGERS),
      'signature_invalid',
    ],
    [
      'that a stranger signed with a key in the header',
      () => signed({}, { kid: RSA.jwk.kid, jwk: STRANGERS.jwk }, STRANGERS),
      'signature_invalid',
    ],
    ['whose claims were changed', () => replaced(signed(), encoded(claims({ sub: 'bob-id' }))), 'signature_invalid'],
  ])('refuses a token %s after reading the keys of the issuer (BF-09)', async (_, token, reason) => {
    expect([await outcomeOf(token()), readings.length]).toEqual([reason, 1]);
  });

  it('accepts a token once, and refuses every later use of the token (BF-09)', async () => {
    const token = signed({ exp: clock.date + 300 });
    expect(await outcomeOf(token)).toBe('accepted');
    const outcomes = new Set<string>();
    for (let seconds = 0; seconds < 400; seconds += 1) {
      outcomes.add(await outcomeOf(token));
      clock.advance(1);
    }
    expect([...outcomes]).toEqual(['jti_seen_before', 'too_old', 'expired']);
  });

  it('forgets the jti of a used token after 540 seconds (BF-09)', async () => {
    expect(await outcomeOf(signed({ jti: 'j' }))).toBe('accepted');
    clock.advance(539);
    expect(await outcomeOf(signed({ jti: 'j' }))).toBe('jti_seen_before');
    clock.advance(1);
    expect(await outcomeOf(signed({ jti: 'j' }))).toBe('accepted');
  });

  it('accepts a used token once more after release() with its jti (BF-09)', async () => {
    const token = signed({ jti: 'again' });
    expect(await outcomeOf(token)).toBe('accepted');
    tokens.release('again');
    expect([await outcomeOf(token), await outcomeOf(token)]).toEqual(['accepted', 'jti_seen_before']);
  });

  it('does not record the jti of a forged token (BF-09)', async () => {
    expect(await outcomeOf(signed({ jti: 'same' }, { kid: RSA.jwk.kid }, STRANGERS))).toBe('signature_invalid');
    expect(await outcomeOf(signed({ jti: 'same' }))).toBe('accepted');
  });
});

describe('LogoutTokens with changing keys', () => {
  it('reads the keys once, and again for a token with an unknown key (BF-09)', async () => {
    expect(await outcomeOf(signed())).toBe('accepted');
    expect(await outcomeOf(signed())).toBe('accepted');
    published = { keys: [ROTATED.jwk, RSA.jwk] };
    expect(await outcomeOf(signed({}, {}, ROTATED))).toBe('accepted');
    expect(readings).toEqual([5000, 6000]);
  });

  it('accepts valid tokens during a flood of forged tokens, with one read of the keys a second (BF-09)', async () => {
    expect(await outcomeOf(signed())).toBe('accepted');
    for (let round = 0; round < 10; round += 1) {
      const junk = Array.from({ length: 100 }, () => outcomeOf(signed({}, { kid: `junk-${number}` }, STRANGERS)));
      if (round === 5) published = { keys: [ROTATED.jwk] };
      const good = outcomeOf(signed({}, {}, round < 5 ? RSA : ROTATED));
      expect(new Set(await Promise.all(junk))).toEqual(new Set(['signing_key_unknown']));
      expect(await good).toBe('accepted');
    }
    const pauses = readings.slice(1).map((at, index) => at - (readings[index] ?? 0));
    expect(pauses).toHaveLength(10);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(999);
    expect(await outcomeOf(signed())).toBe('signing_key_unknown');
  });

  it('uses the previous keys until they expire if new keys are unavailable (RS-14)', async () => {
    const down = new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' });
    published = down;
    for (let times = 0; times < 5; times += 1) {
      expect(await Promise.all([outcomeOf(signed()), outcomeOf(signed())])).toEqual(['timeout', 'timeout']);
    }
    expect(readings).toEqual([5000, 6000, 7000, 8000, 9000]);
    published = { keys: [RSA.jwk] };
    expect(await outcomeOf(signed())).toBe('accepted');
    published = down;
    expect([await outcomeOf(signed()), await outcomeOf(signed({}, {}, ROTATED))]).toEqual(['accepted', 'timeout']);
    clock.advance(600);
    expect(await outcomeOf(signed())).toBe('timeout');
  });

  it('rejects with an error if the key set of the issuer is invalid (RS-15)', async () => {
    published = { keys: [EC.jwk, { ...RSA.jwk, d: 'x' }] };
    expect(await outcomeOf(signed())).toBe('signing_key_unusable');
    published = { keys: [] };
    expect(await outcomeOf(signed({}, {}, ROTATED))).toBe('signing_keys_malformed');
  });
});

function replaced(token: string, payload: string): string {
  const [header, , signature] = token.split('.');
  return [header, payload, signature].join('.');
}

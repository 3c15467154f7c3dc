import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey } from 'jose';
import { LogoutTokens } from './logout-tokens.js';

const ISSUER = 'https://sso.example.com/realms/shop';
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

type Claims = Readonly<Record<string, unknown>>;

let key: CryptoKey;
let foreignKey: CryptoKey;
let tokens: LogoutTokens;
let keys: ReturnType<typeof createLocalJWKSet>;
let number = 0;

beforeAll(async () => {
  const pair = await generateKeyPair('RS256');
  key = pair.privateKey;
  foreignKey = (await generateKeyPair('RS256')).privateKey;
  keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'RS256' }] });
});
beforeEach(() => {
  tokens = new LogoutTokens({ issuer: ISSUER, clientId: 'service-a' }, keys);
});

/** The claims of a valid token with overrides; undefined removes a claim. */
function claims(change: Claims = {}): Claims {
  const now = Math.floor(Date.now() / 1000);
  number += 1;
  const good = { iss: ISSUER, aud: 'service-a', iat: now, exp: now + 60, jti: `j${number}`, events: { [EVENT]: {} } };
  return Object.fromEntries(
    Object.entries({ ...good, sub: 'alice-id', sid: 's1', ...change }).filter(([, value]) => value !== undefined),
  );
}

const signed = (change: Claims = {}, header = {}, by = key): Promise<string> =>
  new SignJWT(claims(change)).setProtectedHeader({ alg: 'RS256', kid: 'k', typ: 'logout+jwt', ...header }).sign(by);

const now = (): number => Math.floor(Date.now() / 1000);

describe('LogoutTokens', () => {
  it('accepts a valid token, and returns its session (BF-09)', async () => {
    await expect(tokens.check(await signed())).resolves.toEqual({
      issuer: 'https://sso.example.com/realms/shop',
      sessionId: 's1',
      subject: 'alice-id',
      issuedAt: expect.any(Number),
    });
    await expect(tokens.check(await signed({ sid: undefined }))).resolves.toMatchObject({ sessionId: undefined });
    await expect(tokens.check(await signed({ sub: undefined }))).resolves.toMatchObject({ subject: undefined });
    await expect(tokens.check(await signed({ aud: ['other', 'service-a'] }))).resolves.toBeDefined();
  });

  it.each<[string, () => Claims]>([
    ['of another issuer', () => ({ iss: 'https://evil.example' })],
    ['for another client', () => ({ aud: 'service-b' })],
    ['without aud', () => ({ aud: undefined })],
    ['that has expired', () => ({ iat: now() - 100, exp: now() - 50 })],
    ['without exp', () => ({ exp: undefined })],
    ['with a long lifetime', () => ({ exp: now() + 3600 })],
    ['that is old', () => ({ iat: now() - 200, exp: now() + 60 })],
    ['from the future', () => ({ iat: now() + 60, exp: now() + 120 })],
    ['without iat', () => ({ iat: undefined })],
    ['without jti', () => ({ jti: undefined })],
    ['with an empty jti', () => ({ jti: '' })],
    ['without events', () => ({ events: undefined })],
    ['of another event', () => ({ events: { 'http://schemas.openid.net/event/other': {} } })],
    ['whose event is not an object', () => ({ events: { [EVENT]: true } })],
    ['whose events are a list', () => ({ events: [EVENT] })],
    ['with a nonce', () => ({ nonce: 'n' })],
    ['with neither sub nor sid', () => ({ sub: undefined, sid: undefined })],
    ['with a sid that is not text', () => ({ sid: 1 })],
  ])('refuses a token %s (BF-09)', async (_, change) => {
    await expect(tokens.check(await signed(change()))).rejects.toMatchObject({ reason: expect.any(String) });
  });

  it.each([
    ['JWT', { typ: 'JWT' }],
    ['at+jwt', { typ: 'at+jwt' }],
    ['none', { typ: undefined }],
  ])('refuses a token whose typ is %s (BF-09)', async (_, header) => {
    await expect(tokens.check(await signed({}, header))).rejects.toMatchObject({ reason: expect.any(String) });
  });

  it('refuses a token that is signed with another key, with our secret, or not at all (BF-09)', async () => {
    const header = { typ: 'logout+jwt', kid: 'k' };
    const bySecret = await new SignJWT(claims()).setProtectedHeader({ ...header, alg: 'HS256' }).sign(Buffer.alloc(32));
    const unsigned = new UnsecuredJWT(claims()).encode();
    const bad = [
      await signed({}, {}, foreignKey),
      await signed({}, { kid: 'other' }),
      bySecret,
      unsigned,
      'a.b.c',
      '',
      7,
    ];
    for (const text of bad) await expect(tokens.check(text)).rejects.toMatchObject({ reason: expect.any(String) });
  });

  it('accepts a token once (BF-09)', async () => {
    const text = await signed();
    await tokens.check(text);
    await expect(tokens.check(text)).rejects.toMatchObject({ reason: 'jti_missing_or_seen_before' });
  });

  it('accepts a lifetime of five minutes, and none that is a second longer (BF-09)', async () => {
    const iat = now();
    await expect(tokens.check(await signed({ iat, exp: iat + 300 }))).resolves.toBeDefined();
    await expect(tokens.check(await signed({ iat, exp: iat + 301 }))).rejects.toMatchObject({
      reason: 'lives_too_long',
    });
  });

  it('detects a replay for as long as the token is valid (BF-09)', async () => {
    const began = Date.now();
    let ahead = 0;
    const overTime = new LogoutTokens({ issuer: ISSUER, clientId: 'service-a' }, keys, () => began + ahead * 1000);
    const text = await signed({ iat: now(), exp: now() + 300 });
    await overTime.check(text);
    const reasons = new Set<unknown>();
    for (; ahead <= 600; ahead += 1) {
      reasons.add(await overTime.check(text).catch((error: unknown) => (error as { reason: unknown }).reason));
    }
    // In the end it is too old, before its jti is evicted.
    expect([...reasons]).toEqual(['jti_missing_or_seen_before', 'err_jwt_expired']);
  });

  it('evicts a jti when its token is not valid any more, so that memory does not grow (BF-09)', async () => {
    const began = Date.now();
    let ahead = 0;
    const overTime = new LogoutTokens({ issuer: ISSUER, clientId: 'service-a' }, keys, () => began + ahead * 1000);
    const again = async () => overTime.check(await signed({ jti: 'j', iat: now() + ahead, exp: now() + ahead + 60 }));
    await again();
    ahead = 429;
    await expect(again()).rejects.toMatchObject({ reason: 'jti_missing_or_seen_before' });
    ahead = 431;
    await expect(again()).resolves.toBeDefined();
  });

  it('refuses a token signed with a secret, even if the key set holds one (BF-09)', async () => {
    const secret = Buffer.alloc(32, 's');
    const lax = new LogoutTokens({ issuer: ISSUER, clientId: 'service-a' }, async () => secret);
    const text = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', typ: 'logout+jwt' }).sign(secret);
    await expect(lax.check(text)).rejects.toMatchObject({ reason: 'err_jose_alg_not_allowed' });
  });
});

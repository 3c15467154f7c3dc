import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { EncryptJWT } from 'jose';
import { settingsFrom } from '../../spec-support/settings.js';
import { Cookies } from './cookies.js';
import { MemorySessionStore } from './memory-session-store.js';
import { PendingLogins, type PendingLogin } from './pending-logins.js';

const SECRET = 'the-session-secret-of-32-letters-or-more';
const STATE = 's'.repeat(43);
const PENDING: PendingLogin = { state: STATE, nonce: 'n', codeVerifier: 'the-verifier', returnTo: '/x' };

const config = settingsFrom({
  NODE_ENV: 'test',
  KEYCLOAK_BASE_URL: 'http://localhost:8080',
  KEYCLOAK_REALM: 'shop',
  SERVICE_A_CLIENT_SECRET: 'the-client-secret',
  SERVICE_A_SESSION_SECRET: SECRET,
});

const pendingLogins = (): PendingLogins =>
  new PendingLogins(config, new Cookies(config), new MemorySessionStore(config.login));
const bring = (value: string) => ({ headers: { cookie: `login-${STATE.slice(0, 16)}=${value}` } });

async function sealed(claims: object, expires: string | undefined, secret = SECRET): Promise<string> {
  const key = new Uint8Array(hkdfSync('sha256', secret, '', 'service-a pending login', 32));
  const jwt = new EncryptJWT({ ...claims }).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' });
  return (expires === undefined ? jwt : jwt.setExpirationTime(expires)).encrypt(key);
}

describe('PendingLogins', () => {
  it("accepts its own cookie once, and hides the cookie's content (BF-01)", async () => {
    const logins = pendingLogins();
    const [cookie = ''] = await logins.remember({ headers: {} }, PENDING);
    expect(cookie).not.toMatch(/the-verifier|%2Fx/);
    const value = /=([^;]+)/.exec(cookie)?.[1] ?? '';
    await expect(logins.consume(bring(value), STATE)).resolves.toMatchObject(PENDING);
    await expect(logins.consume(bring(value), STATE)).rejects.toMatchObject({ reason: 'login_taken_before' });
  });

  it.each<[string, () => Promise<string>]>([
    ['without an expiry', () => sealed(PENDING, undefined)],
    ['that has expired', () => sealed(PENDING, '-1s')],
    ['without a state', () => sealed({ ...PENDING, state: undefined }, '60s')],
    ['of another state', () => sealed({ ...PENDING, state: 't'.repeat(43) }, '60s')],
    ['encrypted with another secret', () => sealed(PENDING, '60s', 'another-secret')],
    ['that is not encrypted at all', async () => 'a.b.c.d.e'],
  ])('refuses a cookie %s (BF-01)', async (_, make) => {
    await expect(pendingLogins().consume(bring(await make()), STATE)).rejects.toMatchObject({
      code: 'login_not_started_here',
      reason: 'login_not_ours',
    });
  });

  it('accepts a cookie whose content has the expected format (BF-01)', async () => {
    await expect(pendingLogins().consume(bring(await sealed(PENDING, '60s')), STATE)).resolves.toMatchObject(PENDING);
  });
});

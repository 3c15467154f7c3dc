import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { settingsFrom } from '../../spec-support/settings.js';
import { Cookies } from './cookies.js';
import { MemorySessionStore } from './memory-session-store.js';
import { PendingLogins } from './pending-logins.js';

function config(publicUrl: string, secret = 'a-session-secret-of-my-own-with-40-letters') {
  return settingsFrom({
    NODE_ENV: 'production',
    PUBLIC_URL: publicUrl,
    KEYCLOAK_ALLOW_INSECURE_REQUESTS: 'true',
    KEYCLOAK_BASE_URL: 'https://sso.example.com',
    KEYCLOAK_REALM: 'shop',
    SERVICE_A_CLIENT_SECRET: 'of-my-own-4711',
    SERVICE_A_SESSION_SECRET: secret,
  });
}

const https = config('https://shop.example.com');
const store = new MemorySessionStore(https.login);
const PENDING = { state: 's'.repeat(43), nonce: 'the-nonce', codeVerifier: 'the-verifier', returnTo: '/x' };
const bringing = (...lines: readonly string[]) => ({
  headers: { cookie: lines.map((line) => line.split(';')[0]).join('; ') },
});

describe('Cookies', () => {
  it('have the prefix __Host- and are Secure, HttpOnly and SameSite over https (BF-04)', () => {
    const cookies = new Cookies(https);
    expect(cookies.setSession('x')).toBe('__Host-session=x; Path=/; HttpOnly; Secure; SameSite=Lax');
    expect(cookies.clearSession()).toBe('__Host-session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax');
    expect(cookies.sessionId({ headers: { cookie: 'session=x' } })).toBeUndefined();
  });

  it('have no __Host- prefix if the public URL uses http', () => {
    expect(new Cookies(config('http://localhost:3000')).setSession('x')).toBe(
      'session=x; Path=/; HttpOnly; SameSite=Lax',
    );
  });
});

describe('PendingLogins', () => {
  const logins = new PendingLogins(https, new Cookies(https), store);

  it('accepts each login only once, from a cookie that reveals no secret (BF-01, BF-04)', async () => {
    const [cookie = ''] = await logins.remember({ headers: {} }, PENDING);
    expect(cookie).toMatch(/^__Host-login-s{16}=[\w.-]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    expect(cookie).not.toContain('the-verifier');
    await expect(logins.consume(bringing(cookie), PENDING.state)).resolves.toMatchObject(PENDING);
    await expect(logins.consume(bringing(cookie), PENDING.state)).rejects.toMatchObject({
      reason: 'login_taken_before',
    });
  });

  it('refuses a missing cookie, an altered cookie and a wrong state (BF-01)', async () => {
    const state = 't'.repeat(43);
    const [cookie = ''] = await logins.remember({ headers: {} }, { ...PENDING, state });
    const altered = cookie.replace(/=[^;]+/, (value) => `${value.slice(0, -9)}AAAAAAAAA`);
    await expect(logins.consume({ headers: {} }, state)).rejects.toMatchObject({ reason: 'no_such_login' });
    await expect(logins.consume(bringing(altered), state)).rejects.toMatchObject({ reason: 'login_not_ours' });
    await expect(logins.consume(bringing(cookie), `${state.slice(1)}u`)).rejects.toMatchObject({
      reason: 'login_not_ours',
    });
    await expect(logins.consume(bringing(cookie), [state])).rejects.toMatchObject({ reason: 'state_missing' });
    const others = new PendingLogins(config('https://shop.example.com', 'x'.repeat(40)), new Cookies(https), store);
    await expect(others.consume(bringing(cookie), state)).rejects.toMatchObject({ reason: 'login_not_ours' });
    await expect(logins.consume(bringing(cookie), state)).resolves.toMatchObject({ state });
  });

  it('encrypts with the first secret and decrypts with every secret (CC-08)', async () => {
    const [old, next] = ['o'.repeat(40), 'n'.repeat(40)];
    const at = (...secrets: readonly string[]): PendingLogins =>
      new PendingLogins(config('https://shop.example.com', secrets.join('\n')), new Cookies(https), store);
    for (const [begun, ended, outcome] of [
      [at(old), at(next, old), 'fulfilled'],
      [at(next, old), at(next), 'fulfilled'],
      [at(next, old), at(old), 'rejected'],
    ] as const) {
      const state = randomBytes(32).toString('base64url');
      const [cookie = ''] = await begun.remember({ headers: {} }, { ...PENDING, state });
      const [consumed] = await Promise.allSettled([ended.consume(bringing(cookie), state)]);
      expect(consumed.status).toBe(outcome);
    }
  });

  it('keeps at most five logins per browser, and drops the oldest (BF-12)', async () => {
    const lines: string[] = [];
    for (const letter of 'abcde') {
      lines.push(...(await logins.remember(bringing(...lines), { ...PENDING, state: letter.repeat(43) })));
    }
    expect(lines).toHaveLength(5);
    const [forgotten, added] = await logins.remember(bringing(...lines), { ...PENDING, state: 'f'.repeat(43) });
    expect(forgotten).toMatch(/^__Host-login-a{16}=; Max-Age=0/);
    expect(added).toMatch(/^__Host-login-f{16}=ey/);
  });

  it.each(['a b', 'ä', '', 'a"b', 'a(b)'])('ignores a cookie named login-%s (BF-12)', async (name) => {
    const own = ['a', 'b', 'c', 'd'].map((letter) => `__Host-login-${letter}=x`);
    const lines = await logins.remember(bringing(`__Host-login-${name}=x`, ...own), PENDING);
    expect(lines).toEqual([expect.stringMatching(/^__Host-login-s{16}=ey/)]);
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import { EndedSessions } from './ended-sessions.js';
import { MemorySessionStore } from './memory-session-store.js';
import { OpenIdTokens } from './openid-tokens.js';
import { UserSessions } from './user-sessions.js';

const HOUR_SECONDS = 3600;

let nowMs: number;
beforeEach(() => {
  nowMs = 1000;
});

const login = (change: { sessionId?: string | undefined; subject?: string; issuedAt?: number } = {}) => ({
  sessionId: 's1',
  subject: 'alice-id',
  issuedAt: 1000,
  ...change,
});

describe('EndedSessions', () => {
  let ended: EndedSessions;
  beforeEach(() => {
    ended = new EndedSessions(HOUR_SECONDS * 1000, () => nowMs);
  });

  it('recognizes only the login of the ended session (BF-09)', () => {
    ended.add({ sessionId: 's1', subject: 'alice-id' }, 2000);
    expect(ended.has(login())).toBe(true);
    expect(ended.has(login({ issuedAt: 9999 }))).toBe(true);
    expect(ended.has(login({ sessionId: 's2' }))).toBe(false);
    expect(ended.has(login({ sessionId: undefined }))).toBe(false);
  });

  it('recognizes all earlier logins of a user after all sessions ended (BF-09)', () => {
    ended.add({ sessionId: undefined, subject: 'alice-id' }, 2000);
    expect([1999, 2000, 2001].map((issuedAt) => ended.has(login({ issuedAt })))).toEqual([true, true, false]);
    expect(ended.has(login({ subject: 'bob-id' }))).toBe(false);
  });

  it('remembers the later of two notices that arrive out of order (BF-09)', () => {
    for (const issuedAt of [2000, 1000]) ended.add({ sessionId: undefined, subject: 'alice-id' }, issuedAt);
    expect(ended.has(login({ issuedAt: 1500 }))).toBe(true);
  });

  it('remembers an ended session for the configured time', () => {
    ended.add({ sessionId: 's1', subject: undefined }, 2000);
    nowMs += HOUR_SECONDS * 1000;
    expect(ended.has(login())).toBe(true);
    nowMs += 1;
    expect(ended.has(login())).toBe(false);
  });
});

describe('UserSessions', () => {
  it.each([
    ['an hour if sessions live for a second', 1, HOUR_SECONDS],
    ['a day if sessions live for a day', 24 * HOUR_SECONDS, 24 * HOUR_SECONDS],
  ])('remembers ended sessions for %s (BF-09)', async (_, sessionMaxSeconds, remembered) => {
    const limits = { sessionIdleSeconds: 1, sessionMaxSeconds };
    const store = new MemorySessionStore({ ...limits, maxSessions: 9, maxSessionsPerUser: 9 }, () => nowMs);
    const provider = { ready: async () => undefined, refresh: async () => ({ refused: true }) as const };
    const sessions = new UserSessions(store, provider, limits);
    const tokens = new OpenIdTokens({
      accessToken: 'a',
      refreshToken: 'r',
      idToken: 'i',
      expiresAtMs: 0,
      askedAtMs: 0,
    });
    const begin = (): Promise<string> =>
      sessions.begin({ ...login(), authentication: { acr: '1', authTime: 1000 }, username: 'alice', tokens });
    await sessions.endAtKeycloak({ sessionId: 's1', subject: 'alice-id' }, 1000);
    nowMs += remembered * 1000;
    await expect(begin()).rejects.toMatchObject({ reason: 'session_ended_meanwhile' });
    nowMs += 1;
    await expect(begin()).resolves.toEqual(expect.any(String));
  });
});

import { inspect } from 'node:util';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { LoggedIn, Refreshed } from './openid-provider.js';
import { OpenIdTokens } from './openid-tokens.js';
import { MemorySessionStore } from './memory-session-store.js';
import { UserSessions } from './user-sessions.js';

const IDLE_SECONDS = 100;
const MAX_SECONDS = 1000;

let nowMs: number;
let refreshes: number;
let refreshing: () => Promise<Refreshed>;
let sessions: UserSessions;

const tokens = (lifeSeconds: number, name = 'first'): OpenIdTokens =>
  new OpenIdTokens({
    accessToken: `${name}-access`,
    refreshToken: `${name}-refresh`,
    idToken: `${name}-id`,
    askedAtMs: nowMs,
    expiresAtMs: nowMs + lifeSeconds * 1000,
  });

const login = (change: Partial<LoggedIn> = {}): LoggedIn => ({
  subject: 'alice-id',
  sessionId: 's1',
  username: 'alice',
  issuedAt: 1000,
  authentication: { acr: '1', authTime: 1000 },
  tokens: tokens(300),
  ...change,
});

const accessTokenOf = async (id: string): Promise<string | undefined> =>
  (await sessions.findFresh(id))?.tokens.reveal().accessToken;

beforeEach(() => {
  nowMs = 0;
  refreshes = 0;
  refreshing = async () => ({ tokens: tokens(300, 'second') });
  const refresh = async (): Promise<Refreshed> => {
    refreshes += 1;
    return refreshing();
  };
  const limits = { sessionIdleSeconds: IDLE_SECONDS, sessionMaxSeconds: MAX_SECONDS };
  const bounds = { ...limits, maxSessions: 100, maxSessionsPerUser: 50 };
  sessions = new UserSessions(
    new MemorySessionStore(bounds, () => nowMs),
    { ready: async () => undefined, refresh },
    limits,
  );
});

describe('UserSessions', () => {
  it('gives each session a new id that cannot be guessed (BF-05)', async () => {
    const ids = new Set(await Promise.all(Array.from({ length: 50 }, () => sessions.begin(login()))));
    expect(ids.size).toBe(50);
    for (const id of ids) expect(id).toMatch(/^[\w-]{43}$/);
    await expect(sessions.find('brought-by-the-browser')).resolves.toBeUndefined();
  });

  it('ends a session only if the session is unused during the idle time (BF-05)', async () => {
    const id = await sessions.begin(login());
    for (let uses = 0; uses < 5; uses += 1) {
      nowMs += (IDLE_SECONDS - 1) * 1000;
      await expect(sessions.find(id)).resolves.toMatchObject({ username: 'alice' });
    }
    nowMs += IDLE_SECONDS * 1000;
    await expect(sessions.find(id)).resolves.toBeUndefined();
    nowMs -= IDLE_SECONDS * 1000;
    await expect(sessions.find(id)).resolves.toBeUndefined();
  });

  it('restarts the idle time at each use, even immediately after the previous use (BF-05)', async () => {
    const id = await sessions.begin(login());
    nowMs += 500;
    await sessions.find(id);
    nowMs += IDLE_SECONDS * 1000 - 1;
    await expect(sessions.find(id)).resolves.toBeDefined();
  });

  it('ends a session at the maximum age, even if the session is in use (BF-05)', async () => {
    const id = await sessions.begin(login());
    while (nowMs < (MAX_SECONDS - 50) * 1000) {
      nowMs += 50_000;
      if (nowMs < MAX_SECONDS * 1000) await sessions.find(id);
    }
    nowMs = MAX_SECONDS * 1000 - 1;
    await expect(sessions.find(id)).resolves.toBeDefined();
    nowMs += 1;
    await expect(sessions.find(id)).resolves.toBeUndefined();
  });

  it('refreshes the tokens once for 50 concurrent requests (BF-08)', async () => {
    const id = await sessions.begin(login());
    nowMs += 90_000;
    await sessions.find(id);
    nowMs += 90_000;
    await sessions.find(id);
    nowMs += 90_000;
    await expect(accessTokenOf(id)).resolves.toBe('first-access');
    nowMs += 20_000;
    const got = await Promise.all(Array.from({ length: 50 }, () => accessTokenOf(id)));
    expect(new Set(got)).toEqual(new Set(['second-access']));
    expect(refreshes).toBe(1);
    await accessTokenOf(id);
    expect(refreshes).toBe(1);
  });

  it('ends the session when the refresh is refused (BF-08)', async () => {
    refreshing = async () => ({ refused: true });
    const id = await sessions.begin(login({ tokens: tokens(5) }));
    await expect(Promise.all([accessTokenOf(id), accessTokenOf(id)])).resolves.toEqual([undefined, undefined]);
    await expect(sessions.find(id)).resolves.toBeUndefined();
    expect(refreshes).toBe(1);
  });

  it('keeps the session while Keycloak is down, and refreshes it later (BF-08)', async () => {
    const id = await sessions.begin(login({ tokens: tokens(5) }));
    refreshing = async () => Promise.reject(new Error('down'));
    await expect(accessTokenOf(id)).rejects.toThrow('down');
    refreshing = async () => ({ tokens: tokens(300, 'second') });
    await expect(accessTokenOf(id)).resolves.toBe('second-access');
  });

  it('does not revive a session that ends during a refresh (BF-08, BF-09)', async () => {
    const id = await sessions.begin(login({ tokens: tokens(5) }));
    let answer: (refreshed: Refreshed) => void = () => undefined;
    refreshing = () => new Promise((resolve) => (answer = resolve));
    const waiting = accessTokenOf(id);
    await new Promise((resolve) => setImmediate(resolve));
    await sessions.endAtKeycloak({ sessionId: 's1', subject: 'alice-id' }, 1000);
    answer({ tokens: tokens(300, 'second') });
    await expect(waiting).resolves.toBeUndefined();
    await expect(sessions.find(id)).resolves.toBeUndefined();
  });

  it('ends only the sessions with the given sid (BF-09)', async () => {
    const ids = [await sessions.begin(login()), await sessions.begin(login())];
    const other = await sessions.begin(login({ sessionId: 's2' }));
    await sessions.endAtKeycloak({ sessionId: 's1', subject: 'alice-id' }, 1000);
    for (const id of ids) await expect(sessions.find(id)).resolves.toBeUndefined();
    await expect(sessions.find(other)).resolves.toBeDefined();
  });

  it('ends all sessions of a subject, and allows a new login (BF-09)', async () => {
    const ids = [await sessions.begin(login()), await sessions.begin(login({ sessionId: 's2' }))];
    const bob = await sessions.begin(login({ subject: 'bob-id', sessionId: 's3' }));
    await sessions.endAtKeycloak({ sessionId: undefined, subject: 'alice-id' }, 1000);
    for (const id of ids) await expect(sessions.find(id)).resolves.toBeUndefined();
    await expect(sessions.find(bob)).resolves.toBeDefined();
    await expect(sessions.begin(login({ sessionId: 's4', issuedAt: 1001 }))).resolves.toEqual(expect.any(String));
  });

  it.each([
    ['sid', { sessionId: 's1', subject: undefined }],
    ['sub', { sessionId: undefined, subject: 'alice-id' }],
  ])('rejects a login if a logout notice with the %s of the login arrived meanwhile (BF-09)', async (_, ended) => {
    await sessions.endAtKeycloak(ended, 1000);
    await expect(sessions.begin(login())).rejects.toMatchObject({ reason: 'session_ended_meanwhile' });
  });

  it('prints no token of a session', async () => {
    const session = await sessions.find(await sessions.begin(login()));
    expect(inspect(session, { depth: 9, showHidden: true }) + JSON.stringify(session)).not.toContain('first-');
  });
});

describe('UserSessions after recheckAll (BF-09)', () => {
  it('asks Keycloak about each session before the next use of the session', async () => {
    const [one, other] = [await sessions.begin(login()), await sessions.begin(login({ sessionId: 's2' }))];
    nowMs += 1;
    await sessions.recheckAll();
    nowMs += 1;
    await expect(accessTokenOf(one)).resolves.toBe('second-access');
    await expect(sessions.findFresh(other)).resolves.toBeDefined();
    expect(refreshes).toBe(2);
    for (const id of [one, other]) await sessions.findFresh(id);
    await accessTokenOf(one);
    expect(refreshes).toBe(2);
    const later = await sessions.begin(login());
    await accessTokenOf(later);
    expect(refreshes).toBe(2);
  });

  it('ends only the session that Keycloak has ended', async () => {
    const [one, other] = [await sessions.begin(login()), await sessions.begin(login({ sessionId: 's2' }))];
    nowMs += 1;
    await sessions.recheckAll();
    nowMs += 1;
    const second = { tokens: tokens(300, 'second') };
    refreshing = async () => ({ refused: true });
    await expect(sessions.findFresh(one)).resolves.toBeUndefined();
    refreshing = async () => second;
    await expect(sessions.findFresh(other)).resolves.toBeDefined();
  });

  it('rejects while Keycloak is unavailable, but keeps the session', async () => {
    const id = await sessions.begin(login());
    nowMs += 1;
    await sessions.recheckAll();
    refreshing = async () => Promise.reject(new Error('unavailable'));
    await expect(sessions.findFresh(id)).rejects.toThrow('unavailable');
    await expect(accessTokenOf(id)).rejects.toThrow('unavailable');
    // A logout finds the session even if Keycloak is unavailable, since `find` does not call Keycloak.
    await expect(sessions.find(id)).resolves.toBeDefined();
  });

  it('does not accept a refresh that started before the recheck was required', async () => {
    const id = await sessions.begin(login({ tokens: tokens(10) }));
    const early = { tokens: tokens(300, 'early') };
    let land: (refreshed: Refreshed) => void = () => undefined;
    refreshing = () => new Promise<Refreshed>((resolve) => (land = resolve));
    const before = accessTokenOf(id);
    await new Promise((resolve) => void setImmediate(resolve));
    nowMs += 1;
    await sessions.recheckAll();
    nowMs += 1;
    const after = accessTokenOf(id);
    await new Promise((resolve) => void setImmediate(resolve));
    refreshing = async () => ({ refused: true });
    land(early);
    await expect(before).resolves.toBe('early-access');
    await expect(after).resolves.toBeUndefined();
    expect(refreshes).toBe(2);
  });
});

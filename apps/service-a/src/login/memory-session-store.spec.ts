import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OpenIdTokens } from './openid-tokens.js';
import { MemorySessionStore } from './memory-session-store.js';
import type { UserSession } from './user-session.js';

const MAX = 6;
const SHARE = 2;

const BOUNDS = { maxSessions: MAX, maxSessionsPerUser: SHARE, sessionIdleSeconds: 60, sessionMaxSeconds: 60 };

let store: MemorySessionStore;
beforeEach(() => {
  store = new MemorySessionStore(BOUNDS);
});

const session = (subject: string, sessionId = 's1'): UserSession => ({
  subject,
  sessionId,
  username: subject,
  csrfToken: 't',
  tokens: new OpenIdTokens({ accessToken: 'a', refreshToken: 'r', idToken: 'i', askedAtMs: 0, expiresAtMs: 0 }),
  startedAtMs: 0,
  usedAtMs: 0,
  generation: 0,
});

const add = (key: string, added: UserSession): Promise<boolean> => store.add(key, added, 1000);
const use = (key: string): Promise<UserSession | undefined> => store.update(key, (found) => found);
const holds = async (...keys: readonly string[]): Promise<boolean[]> => {
  const held: boolean[] = [];
  for (const key of keys) held.push((await use(key)) !== undefined);
  return held;
};

describe('MemorySessionStore', () => {
  it('evicts no session of another user if a user logs in repeatedly (BF-05)', async () => {
    await add('alice-1', session('alice'));
    await add('alice-2', session('alice'));
    for (let logins = 0; logins < 10 * MAX; logins += 1) await add(`bob-${logins}`, session('bob'));
    await expect(holds('alice-1', 'alice-2')).resolves.toEqual([true, true]);
    await expect(holds(`bob-${10 * MAX - 3}`, `bob-${10 * MAX - 2}`, `bob-${10 * MAX - 1}`)).resolves.toEqual([
      false,
      true,
      true,
    ]);
  });

  it('evicts the least recently used session of a user who reaches the limit', async () => {
    await add('first', session('alice'));
    await add('second', session('alice'));
    await use('first');
    await add('third', session('alice'));
    await expect(holds('first', 'second', 'third')).resolves.toEqual([true, false, true]);
  });

  it('does not count deleted, evicted or expired sessions towards the limits', async () => {
    await add('one', session('alice'));
    await add('two', session('alice', 's2'));
    await store.delete('one');
    await add('three', session('alice', 's3'));
    await expect(holds('two', 'three')).resolves.toEqual([true, true]);
    await store.update('two', () => undefined);
    await add('four', session('alice', 's4'));
    await expect(holds('three', 'four')).resolves.toEqual([true, true]);
    await store.end({ sessionId: 's3', subject: 'alice' }, 1000);
    await add('five', session('alice'));
    await expect(holds('four', 'five')).resolves.toEqual([true, true]);
    for (const user of ['b', 'c', 'd']) for (const key of ['1', '2']) await add(user + key, session(user));
    await add('six', session('alice'));
    await add('seven', session('alice'));
    await expect(holds('four', 'five', 'six', 'seven')).resolves.toEqual([false, false, true, true]);
  });

  it('evicts the least recently used session if the store is full', async () => {
    const users = Array.from({ length: MAX }, (_, index) => `user-${index}`);
    for (const user of users) await add(user, session(user));
    await use('user-0');
    await add('one more', session('one more'));
    await expect(holds('user-0', 'user-1', 'user-2', 'one more')).resolves.toEqual([true, false, true, true]);
  });

  it('evicts only sessions of the user at the limit, even if the store is full', async () => {
    for (const key of ['b1', 'a1', 'a2', 'c1', 'd1', 'e1'].slice(0, MAX)) await add(key, session(key.charAt(0)));
    await add('a3', session('a'));
    await expect(holds('b1', 'a1', 'a2', 'a3')).resolves.toEqual([true, false, true, true]);
  });

  it('evicts only sessions that exceed the limit per user while the store is not full', async () => {
    const step = fc.record({
      user: fc.constantFrom('a', 'b', 'c'),
      key: fc.nat(9),
      what: fc.constantFrom('add', 'use', 'delete'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        store = new MemorySessionStore(BOUNDS);
        const model = new Map<string, string[]>();
        for (const { user, key: number, what } of steps) {
          const key = `${user}-${number}`;
          const own = model.get(user) ?? [];
          const isThere = own.includes(key);
          const others = own.filter((one) => one !== key);
          if (what === 'add') await add(key, session(user));
          else if (what === 'use') await use(key);
          else await store.delete(key);
          if (what === 'delete') model.set(user, others);
          else if (what === 'add' || isThere) model.set(user, [...others, key].slice(-SHARE));
        }
        const expected = [...model.values()].flat();
        const all = ['a', 'b', 'c'].flatMap((user) => Array.from({ length: 10 }, (_, index) => `${user}-${index}`));
        const held = await holds(...all);
        expect(all.filter((_, index) => held[index]).toSorted()).toEqual(expected.toSorted());
      }),
    );
  });
});

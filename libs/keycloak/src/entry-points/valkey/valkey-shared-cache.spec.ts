import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { SealingKeys } from './sealing-keys.js';
import type { ValkeyClient } from './valkey-client.js';
import { ValkeySharedCache } from './valkey-shared-cache.js';

const CONTEXT = { issuer: 'https://keycloak.test/realms/test', clientId: 'shop' } as const;
const keys = new SealingKeys([randomBytes(32).toString('base64')]);

describe('ValkeySharedCache', () => {
  it.each([
    ['was encrypted by a newer version', Buffer.from([2, ...randomBytes(90)]).toString('base64')],
    ['has a newer format', keys.seal('{"t":"answer","a":1}', ['2', 'issuer', 'shop', 'cache', 'key'])],
    ['was encrypted by another service', new SealingKeys([randomBytes(32).toString('base64')]).seal('{}', ['x'])],
  ])('returns the lease for a request to Keycloak if the entry %s', async (_, sealed) => {
    const passedOver: (string | undefined)[] = [];
    const client = {
      deadlineMs: 50,
      run: async (_script: unknown, _keys: unknown, args: readonly string[]) => {
        passedOver.push(args[3]);
        return args[3] === '' ? [sealed, 0, Date.now()] : [null, 1, Date.now()];
      },
    } as unknown as ValkeyClient;
    const cache = new ValkeySharedCache(client, keys, CONTEXT as never);
    expect(await cache.look('key', 10_000)).toEqual({ kind: 'lease' });
    expect(passedOver).toEqual(['', sealed.slice(0, 44)]);
  });

  it('returns the age of an entry since the request to Keycloak, not since its storage', async () => {
    // The server's clock is ten seconds ahead, so an age by this machine's clock would be wrong.
    const nowMs = Date.now() + 10_000;
    let held: string | undefined;
    const client = {
      deadlineMs: 50,
      run: async (_script: unknown, _keys: unknown, args: readonly string[]) => {
        if (args.length === 6) held = args[0];
        else await sleep(held === undefined ? 0 : 30);
        return held === undefined ? [null, 1, nowMs] : [held, 0, nowMs];
      },
    } as unknown as ValkeyClient;
    const cache = new ValkeySharedCache(client, keys, CONTEXT as never);
    await cache.look('key', 10_000);
    await cache.put('key', { text: 'answer', ageMs: 1000, servesMs: 10_000, isFinal: true });
    const found = await new ValkeySharedCache(client, keys, CONTEXT as never).look('key', 10_000);
    expect(found).toMatchObject({ kind: 'found', text: 'answer' });
    expect(found).toHaveProperty('ageMs', expect.any(Number));
    expect((found as { ageMs: number }).ageMs).toBeGreaterThan(1020);
    expect(await cache.look('key', 900)).toMatchObject({ kind: 'found', text: '' });
  });
});

import { testServer } from 'keycloak-test-servers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  clientCredentials,
  exchange,
  login,
  logout,
  revoke,
  textOf,
} from '../../libs/keycloak-test-servers/contract/requests.js';
import type { RecordedCall } from '../support/keycloak-recorder.js';
import { RunningServices, ttl } from '../support/running-services.js';

const ORDER = { order_id: 9876, amount: 1500 };
let chain: RunningServices | undefined;

async function start(ttlSeconds: number): Promise<RunningServices> {
  chain = await RunningServices.start({ variables: ttl(ttlSeconds) });
  return chain;
}

beforeEach(() => {
  chain = undefined;
});
afterEach(() => chain?.stop());

function counted(calls: readonly RecordedCall[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { client, endpoint, form } of calls) {
    const what = endpoint === 'token' ? (form.get('grant_type') ?? '').split(':').at(-1) : endpoint;
    if (endpoint !== 'other') counts[`${client} ${what}`] = (counts[`${client} ${what}`] ?? 0) + 1;
  }
  return counts;
}

describe('a burst of 500 requests with cold caches', () => {
  it('causes at most one introspection and one token request per service and caller (RS-12, CC-02)', async () => {
    // The long ttl outlasts the burst on a busy machine.
    const { a, keycloak: recorder } = await start(300);
    const burst = (headers: Record<string, string>) => async (): Promise<number[]> =>
      Promise.all(Array.from({ length: 500 }, async () => (await fetch(`${a.url}/run-service-b`, { headers })).status));
    const asService = await recorder.during(burst({}));
    expect(new Set(asService.result)).toEqual(new Set([200]));
    expect(counted(asService.calls)).toEqual({
      'service-a client_credentials': 1,
      'service-b token/introspect': 1,
      'service-b token-exchange': 1,
      'service-c token/introspect': 1,
    });
    const access_token = textOf(await login(testServer(), 'alice'));
    const asAlice = await recorder.during(burst({ Authorization: `Bearer ${access_token}` }));
    expect(new Set(asAlice.result)).toEqual(new Set([200]));
    expect(counted(asAlice.calls)).toEqual({
      'service-a token/introspect': 1,
      'service-a token-exchange': 1,
      'service-b token/introspect': 1,
      'service-b token-exchange': 1,
      'service-c token/introspect': 1,
    });
  });
});

describe('the revocation window (RS-13)', () => {
  it('lasts at most the ttl plus one second after a revocation or logout', async () => {
    const ttlSeconds = 2;
    const { b, keycloak: recorder } = await start(ttlSeconds);
    const own = await clientCredentials(testServer(), 'service-a', 'orders.approve');
    const alice = await login(testServer(), 'alice');
    const alices = await exchange(testServer(), 'service-a', textOf(alice), {
      audience: 'service-b',
      scope: 'orders.approve',
    });
    const status = async (token: string): Promise<number> =>
      (await request(b.url).post('/api/process').set('Authorization', `Bearer ${token}`).send(ORDER)).status;
    expect(await status(textOf(own))).toBe(200);
    expect(await status(textOf(alices))).toBe(200);
    await revoke(testServer(), 'service-a', textOf(own));
    await logout(testServer(), textOf(alice, 'refresh_token'));
    const endedMs = performance.now();
    for (const token of [textOf(own), textOf(alices)]) {
      while ((await status(token)) === 200 && performance.now() - endedMs < (ttlSeconds + 1) * 1000) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(await status(token)).toBe(401);
    }
    const { calls } = await recorder.during(() => status(textOf(own)));
    expect(calls).toEqual([]);
  });
});

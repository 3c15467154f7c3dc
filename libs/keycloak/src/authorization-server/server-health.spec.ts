import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connectionTo, DISCOVERY, raw, startScriptedRealm, type ScriptedServer } from '../testing/scripted-server.js';
import { connectToAuthorizationServer } from './connect.js';
import { AuthorizationServerHealth } from './server-health.js';

let realm: ScriptedServer;
beforeEach(async () => {
  realm = await startScriptedRealm();
});
afterEach(() => realm.stop());

describe('AuthorizationServerHealth', () => {
  it('looks at most once a second, however many probe it', async () => {
    const clock = { nowMs: 0, monotonicMs: () => clock.nowMs, epochSeconds: () => 0 };
    const health = new AuthorizationServerHealth(
      connectToAuthorizationServer(connectionTo(realm), clock).metadata,
      clock,
    );
    expect(await Promise.all(Array.from({ length: 50 }, () => health.check()))).toContainEqual({ reachable: true });
    realm.answer(DISCOVERY, raw(500));
    clock.nowMs = 999;
    expect(await health.check()).toEqual({ reachable: true });
    expect(realm.to(DISCOVERY)).toHaveLength(1);
    clock.nowMs = 1000;
    expect(await health.check()).toMatchObject({ reachable: false, code: 'authorization_server_unavailable' });
    expect(realm.to(DISCOVERY)).toHaveLength(2);
  });
});

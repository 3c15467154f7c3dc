import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { StillClock } from '../../spec-support/still-clock.js';
import { connectionTo } from '../../spec-support/test-realm.js';
import { startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { createAuthorizationServer } from './create-authorization-server.js';
import { AuthorizationServerHealth } from './server-health.js';

let realm: RunningAuthorizationServer;
beforeAll(async () => {
  realm = await startTestRealm();
});
afterAll(() => realm.stop());

describe('AuthorizationServerHealth', () => {
  it('looks at most once a second, however many probe it', async () => {
    const clock = new StillClock();
    const { metadata } = createAuthorizationServer(connectionTo(realm), clock);
    const health = new AuthorizationServerHealth(metadata, clock);
    expect(await Promise.all(Array.from({ length: 50 }, () => health.check()))).toContainEqual({ reachable: true });
    realm.control.fault('discovery', { kind: 'status', status: 500 });
    clock.advance(0.999);
    expect(await health.check()).toEqual({ reachable: true });
    expect(realm.control.calls.discovery).toBe(1);
    clock.advance(0.001);
    expect(await health.check()).toMatchObject({ reachable: false, code: 'authorization_server_unavailable' });
    expect(realm.control.calls.discovery).toBe(2);
  });
});

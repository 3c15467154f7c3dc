import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { StillClock } from '../../spec-support/still-clock.js';
import { connectionTo } from '../../spec-support/test-realm.js';
import { startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { FixedSecret } from '../client-authentication/client-authentication.js';
import { createAuthorizationServer } from './create-authorization-server.js';
import { AuthorizationServerHealth } from './server-health.js';

let realm: RunningAuthorizationServer;
beforeAll(async () => {
  realm = await startTestRealm();
});
afterAll(() => realm.stop());

describe('AuthorizationServerHealth', () => {
  it('checks the server at most once a second, regardless of the number of probes', async () => {
    const clock = new StillClock();
    const { metadata, introspection } = createAuthorizationServer(connectionTo(realm), clock);
    const health = new AuthorizationServerHealth(metadata, introspection, clock);
    expect(await Promise.all(Array.from({ length: 50 }, () => health.check()))).toContainEqual({ reachable: true });
    realm.control.fault('discovery', { kind: 'status', status: 500 });
    clock.advance(0.999);
    expect(await health.check()).toEqual({ reachable: true });
    expect(realm.control.calls.discovery).toBe(1);
    clock.advance(0.001);
    expect(await health.check()).toMatchObject({ reachable: false, code: 'authorization_server_unavailable' });
    expect(realm.control.calls.discovery).toBe(2);
  });

  it('stays ready during an outage after the server has accepted the credentials', async () => {
    const clock = new StillClock();
    realm.control.fault('discovery', undefined);
    const { metadata, introspection } = createAuthorizationServer(connectionTo(realm), clock);
    const health = new AuthorizationServerHealth(metadata, introspection, clock);
    realm.control.calls.reset();
    realm.control.fault('introspection', { kind: 'reset' });
    expect(await health.ready()).toMatchObject({ reachable: false, code: 'authorization_server_unavailable' });
    realm.control.fault('introspection', undefined);
    expect(await health.ready()).toMatchObject({ reachable: false });
    clock.advance(1);
    expect(await health.ready()).toEqual({ reachable: true });
    const asked = realm.control.calls.introspection;
    realm.control.fault('introspection', { kind: 'reset' });
    clock.advance(3600);
    expect(await health.ready()).toEqual({ reachable: true });
    expect(realm.control.calls.introspection).toBe(asked);
    realm.control.fault('introspection', undefined);
  });

  it('is not ready if the server refuses the secret', async () => {
    const clock = new StillClock();
    const wrong = { ...connectionTo(realm), clientAuthentication: new FixedSecret('wrong') };
    const { metadata, introspection } = createAuthorizationServer(wrong, clock);
    const health = new AuthorizationServerHealth(metadata, introspection, clock);
    expect(await health.check()).toEqual({ reachable: true });
    expect(await health.ready()).toMatchObject({ reachable: false, code: 'authorization_server_refused' });
  });

  it('checks the credentials once for concurrent probes, and not again after a success', async () => {
    const clock = new StillClock();
    const answers: ((accepted: boolean) => void)[] = [];
    const introspect = (): Promise<never> =>
      new Promise((resolve, reject) =>
        answers.push((accepted) =>
          accepted
            ? resolve({ active: false } as never)
            : reject(AuthorizationServerError.answered(503, undefined) as Error),
        ),
      );
    const health = new AuthorizationServerHealth({ refresh: introspect }, { introspect }, clock);
    const probes = Promise.all(Array.from({ length: 200 }, () => health.ready()));
    expect(answers).toHaveLength(1);
    answers[0]?.(true);
    expect(new Set(await probes)).toEqual(new Set([{ reachable: true }]));
    clock.advance(60);
    expect(await health.ready()).toEqual({ reachable: true });
    expect(answers).toHaveLength(1);
  });
});

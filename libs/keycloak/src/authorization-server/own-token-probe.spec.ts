import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { connectionTo } from '../../spec-support/test-realm.js';
import { startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { systemClock } from '../caching/clock.js';
import { ACCESS_TOKEN_TYPE } from '../protocol/identifiers.js';
import { createAuthorizationServer } from './create-authorization-server.js';

let realm: RunningAuthorizationServer;
beforeAll(async () => {
  realm = await startTestRealm();
});
afterEach(() => realm.control.fault('token', undefined));
afterAll(() => realm.stop());

it('OwnTokenProbe requests a token of the service again after a failed request', async () => {
  const { probe } = createAuthorizationServer(connectionTo(realm), systemClock);
  realm.control.fault('token', { kind: 'status', status: 503 });
  await expect(probe.exchange('analytics.run', 'service-c')).rejects.toMatchObject({
    code: 'authorization_server_unavailable',
  });

  const answer = { access_token: 'a.b.c', token_type: 'Bearer', expires_in: 60, issued_token_type: ACCESS_TOKEN_TYPE };
  realm.control.fault('token', { kind: 'answer', body: answer });
  await expect(probe.exchange('analytics.run', 'service-c')).resolves.toMatchObject({ lifetimeSeconds: 60 });
});

it('OwnTokenProbe recognizes a server that reads resource', async () => {
  const { probe } = createAuthorizationServer(connectionTo(realm), systemClock);
  expect(await probe.refusesUnknownResource()).toBe(false);

  realm.control.fault('token', { kind: 'answer', status: 400, body: { error: 'invalid_target' } });
  expect(await probe.refusesUnknownResource()).toBe(true);

  realm.control.fault('token', { kind: 'answer', status: 400, body: { error: 'unauthorized_client' } });
  await expect(probe.refusesUnknownResource()).rejects.toMatchObject({ reason: 'answered_400_unauthorized_client' });
});

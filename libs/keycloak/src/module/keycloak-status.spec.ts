import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { optionsOf } from '../../spec-support/test-realm.js';
import { loginTo, startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { StillClock } from '../../spec-support/still-clock.js';
import { composeKeycloak } from './compose-keycloak.js';
import { KeycloakStatus, type IssuerStatus } from './keycloak-status.js';
import { NO_CHANNEL } from '../revocation/channel-trust.js';
import { SignalProof } from '../revocation/signal-proof.js';
import { VERSION } from '../protocol/version.js';

let realm: RunningAuthorizationServer;
let nextService: Server;
const held: (() => void)[] = [];
beforeAll(async () => {
  realm = await startTestRealm();
  nextService = createServer((_request, response) => void held.push(() => response.end('{}')));
  nextService.listen(0, '127.0.0.1');
  await new Promise((resolve) => nextService.once('listening', resolve));
});
afterAll(async () => {
  nextService.closeAllConnections();
  nextService.close();
  await realm.stop();
});

describe('KeycloakStatus', () => {
  it('has the version of the package', () => {
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    expect((JSON.parse(manifest) as { readonly version: string }).version).toBe(VERSION);
  });

  it('reports running and queued calls, circuits and cache sizes, and never a token', async () => {
    const keycloak = composeKeycloak({ ...optionsOf(realm, 'service-a'), circuitBreakerFailures: 1 });
    const baseUrl = `http://127.0.0.1:${(nextService.address() as AddressInfo).port}`;
    const service = keycloak.service('service-b', { baseUrl, audience: 'service-b', maxConcurrentCalls: 1 });
    const calls = [1, 2, 3].map(async () => service.asService('orders.approve').get('/'));
    while (held.length === 0) await new Promise(setImmediate);
    expect(keycloak.status.read().services).toEqual({ 'service-b': { circuit: 'closed', running: 1, queued: 2 } });
    for (const _ of calls) {
      while (held.length === 0) await new Promise(setImmediate);
      held.pop()?.();
    }
    await Promise.all(calls);
    await keycloak.verifier.verify(await loginTo(realm, 'alice'));
    keycloak.revocations.deny({ sid: 'a-session' });
    const idle = { circuit: 'closed', running: 0, queued: 0 };
    const after = keycloak.status.read();
    expect(after).toMatchObject({
      version: VERSION,
      authorizationServer: { discovery: idle, introspection: idle, token: idle },
      services: { 'service-b': idle },
      caches: { introspections: 1, inactiveIntrospections: 0, verifiedJwts: 0, tokens: 1, revocations: 1 },
    });
    expect(JSON.stringify(after)).not.toContain('eyJ');

    realm.control.fault('token', { kind: 'status', status: 500 });
    await keycloak.clientCredentials.getToken('receipts.read').catch(() => undefined);
    expect(keycloak.status.read().authorizationServer['token']?.circuit).toBe('open');
    realm.control.fault('token', undefined);
  });

  it('reports a signal feed with repeated interruptions as silent (RS-30)', () => {
    const clock = new StillClock();
    const signals = new SignalProof(clock);
    const issuer = {
      clock,
      signals,
      issuer: 'https://keycloak.test/realms/test',
      calls: () => ({}),
      cacheSizes: () => ({}),
      options: { introspectionTtlSeconds: 10 },
      sharing: { status: { ...NO_CHANNEL, state: 'caught_up', isReady: true, unshared: 0, isTaking: true } },
    } as unknown as IssuerStatus;
    const state = (): unknown => new KeycloakStatus([issuer], () => ({})).read().signals;
    const prove = (): void => signals.prove({ sinceMs: clock.monotonicMs() - 1, untilMs: clock.monotonicMs() });
    prove();
    expect(state()).toEqual({ state: 'healthy', lastHealthySecondsAgo: 0 });
    for (let times = 0; times < 5; times += 1) {
      clock.advance(2);
      signals.interrupt();
      clock.advance(1);
      prove();
      expect(state()).toEqual({ state: 'silent', lastHealthySecondsAgo: 0, reason: 'gaps' });
    }
    const beganMs = clock.monotonicMs();
    clock.advance(11);
    signals.prove({ sinceMs: beganMs, untilMs: clock.monotonicMs() });
    expect(state()).toEqual({ state: 'healthy', lastHealthySecondsAgo: 0 });
  });
});

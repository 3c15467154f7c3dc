import { describe, expect, it } from '@jest/globals';
import { testServer } from 'keycloak-test-servers';
import { composeKeycloak } from '../../libs/keycloak/src/compose-keycloak.js';
import { keycloakEvents } from '../../libs/keycloak/src/signals/index.js';
import { SignalFeed } from '../../libs/keycloak/src/signals/signal-feed.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { Administrator } from '../../libs/keycloak-test-servers/contract/administrator.js';
import { REALM, REALM_ENVIRONMENT } from '../../libs/keycloak-test-servers/contract/demo-realm.js';

describe('probe', () => {
  it('runs', async () => {
    const { baseUrl, issuer } = testServer();
    const admin = new Administrator(baseUrl, REALM);
    await admin.change('PUT', '/events/config', { eventsEnabled: true, enabledEventTypes: [], adminEventsEnabled: true });
    const secret = Object.entries(REALM_ENVIRONMENT).find(([n]) => n === 'SERVICE_A_CLIENT_SECRET')?.[1] ?? '';
    const log = (level: string) => (message: string, fields: object) => console.log(level, message, JSON.stringify(fields));
    const k = composeKeycloak({ issuer, baseUrl, clientId: 'service-a', clientSecret: secret, allowInsecureRequests: true, introspectionTtlWhileSignalledSeconds: 300 }, { loggers: () => ({ log: log('log'), warn: log('warn'), error: log('error') }) });
    const feed = new SignalFeed(k.issuers[0], k.revocations, { sources: [keycloakEvents()], pollMs: 500 });
    feed.start();
    await sleep(4000);
    console.log(JSON.stringify(k.status.read().signals));
    await feed.stop();
    expect(1).toBe(1);
  }, 30000);
});

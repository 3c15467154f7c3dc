import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { CLIENT_SECRET, startTestRealm } from '../../../../keycloak-test-servers/spec-support/test-realm.js';
import type { Finding } from '../../checkup/finding.js';
import { composeKeycloak } from '../../module/compose-keycloak.js';
import { examine } from './examine.js';

let realm: RunningAuthorizationServer;
beforeEach(async () => {
  realm = await startTestRealm();
});
afterEach(() => realm.stop());

async function change(settings: object): Promise<void> {
  const { baseUrl, adminUsername: username, adminPassword: password } = realm;
  const form = new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', username, password });
  const login = await fetch(`${baseUrl}/realms/master/protocol/openid-connect/token`, { method: 'POST', body: form });
  const { access_token } = (await login.json()) as { readonly access_token: string };
  const { status } = await fetch(`${baseUrl}/admin/realms/${realm.realm}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
    body: JSON.stringify(settings),
  });
  expect(status).toBe(204);
}

async function faults(permissions: readonly string[] = []): Promise<readonly Finding[]> {
  const { issuer } = realm;
  const keycloak = composeKeycloak({
    issuer,
    clientId: 'service-a',
    clientSecret: CLIENT_SECRET,
    allowInsecureRequests: true,
  });
  const handler = { label: 'OrdersController.read (GET)', isClosed: false, anyOf: [], permissions, clients: [] };
  const { findings } = await examine({ keycloak, handlers: [handler], notSeen: [] }, undefined);
  return findings.filter(({ level }) => level === 'error' || level === 'warning');
}

describe('doctor', () => {
  it.each([
    ['demands https (row 30)', { sslRequired: 'all' }, 'tls', /requires https:.*"HTTPS required"/, /Require SSL/],
    [
      'is disabled (row 31)',
      { enabled: false },
      'realm',
      /is disabled: .*"Realm not enabled"/,
      /^The realm is disabled\. Enable it/,
    ],
  ])('reports only that the realm %s', async (_, settings, check, message, cure) => {
    await change(settings);
    const [finding, ...others] = await faults();
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ check, level: 'error' });
    expect(finding?.message).toMatch(message);
    expect(finding?.cure).toMatch(cure);
    expect(finding?.cure).not.toMatch(/login page|Compare clientId/);
  });

  it('reports that a service has the client id of its caller (row 29)', async () => {
    const findings = await faults(['orders.approve']);
    expect(findings).toMatchObject([{ check: 'client', level: 'error' }]);
    expect(findings[0]?.message).toMatch(
      /runs with the client id service-a, but the permissions of its routes \(orders\.approve\) are for service-b\./,
    );
    expect(findings[0]?.cure).toMatch(/Don't add a second mapper/);
  });

  it('reports an unknown permission as a fault of the route, not of the client id', async () => {
    expect((await faults(['no-such-permission'])).map(({ check }) => check)).toEqual(['route']);
  });
});

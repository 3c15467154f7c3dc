import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startAuthorizationServer, type RunningAuthorizationServer } from 'keycloak-test-servers';
import { AttackersKeycloak } from './attackers-keycloak.js';

const SECRET = 'the-secret:of +it';
const DEMO_CLI = { clientId: 'demo-cli' };
const DEADLINE_MS = 60_000;

let server: RunningAuthorizationServer;
let keycloak: AttackersKeycloak;

beforeAll(async () => {
  const realm = fileURLToPath(new URL('../../../../keycloak/microservices-realm.json', import.meta.url));
  const placeholders = readFileSync(realm, 'utf8').matchAll(/\$\{(\w+_CLIENT_SECRET)\}/g);
  const environment = Object.fromEntries(Array.from(placeholders, ([, name]) => [name, SECRET]));
  server = await startAuthorizationServer({ realm, environment });
  keycloak = new AttackersKeycloak({ issuer: server.issuer, clientId: 'service-a' }, SECRET, DEADLINE_MS);
});
afterAll(() => server.stop());

describe('AttackersKeycloak', () => {
  it('gets a new service token for each call', async () => {
    const tokens = [await keycloak.ownToken('orders.approve'), await keycloak.ownToken('orders.approve')];
    expect(new Set(tokens).size).toBe(2);
    await expect(keycloak.tokens({ grant_type: 'client_credentials', scope: 'openid orders.read' })).resolves.toEqual({
      accessToken: expect.stringMatching(/^ey/),
      idToken: expect.stringMatching(/^ey/),
      refreshToken: undefined,
    });
  });

  it('gets tokens of a user through a public client, and ends the session', async () => {
    const form = { grant_type: 'password', username: 'bob', password: 'bob', scope: 'orders.read' };
    const { refreshToken = '' } = await keycloak.tokens(form, DEMO_CLI);
    await keycloak.logOut(refreshToken, DEMO_CLI);
    const again = { grant_type: 'refresh_token', refresh_token: refreshToken };
    await expect(keycloak.askForToken(again, DEMO_CLI)).resolves.toMatchObject({ code: 'invalid_grant' });
    await expect(keycloak.logOut('no refresh token', DEMO_CLI)).rejects.toThrow('Keycloak did not end the session.');
    await expect(keycloak.logOut(undefined, DEMO_CLI)).rejects.toThrow('no refresh token');
  });

  it('revokes a token at internalServerUrl if internalServerUrl is set', async () => {
    const { issuer, baseUrl } = server;
    const elsewhere = new AttackersKeycloak(
      { issuer: 'http://keycloak.invalid/realms/microservices', internalServerUrl: baseUrl, clientId: 'service-a' },
      SECRET,
      DEADLINE_MS,
    );
    await expect(elsewhere.revoke(await keycloak.ownToken('orders.approve'))).resolves.toBeUndefined();
    expect(issuer).toContain(baseUrl);
  });

  it('quotes only the error code when Keycloak refuses a token', async () => {
    await expect(keycloak.ownToken('inventory.adjust')).rejects.toThrow(
      'Keycloak gave service-a no token to attack with (invalid_scope).',
    );
    await expect(
      keycloak.askForToken({ grant_type: 'client_credentials', scope: 'inventory.adjust' }),
    ).resolves.toEqual({ status: 400, code: 'invalid_scope', reason: 'Invalid scopes: inventory.adjust' });
    await expect(keycloak.revoke('junk')).rejects.toThrow('Keycloak did not revoke the token.');
  });
});

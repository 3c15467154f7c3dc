import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTlsServer, type Server } from 'node:https';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { CLIENT_SECRET, startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { composeKeycloak } from '../module/compose-keycloak.js';
import type { KeycloakModuleOptions } from '../index.js';
import { Checkup } from './checkup.js';
import type { CheckupParts } from './checkup-parts.js';
import { worstOf, type Finding } from './finding.js';
import { secretWeakness } from './secret-weakness.js';
import { clockFinding, lifetimeFinding, realmFindings, secretFinding } from './server-findings.js';

let realm: RunningAuthorizationServer;
beforeAll(async () => {
  realm = await startTestRealm();
});
afterAll(() => realm.stop());

const keycloakOf = (options: Partial<KeycloakModuleOptions> = {}) =>
  composeKeycloak({
    issuer: realm.issuer,
    clientId: 'service-a',
    clientSecret: CLIENT_SECRET,
    allowInsecureRequests: true,
    maxRetries: 0,
    timeoutMs: 5000,
    ...options,
  });

const levels = (findings: readonly Finding[]): Record<string, string> =>
  Object.fromEntries(findings.map(({ check, level }) => [check, level]));

describe('a checkup', () => {
  it('reports no fault in a healthy set-up', async () => {
    const keycloak = keycloakOf();
    keycloak.service('service-b', {
      baseUrl: realm.issuer,
      audience: 'service-b',
      scopes: { asService: ['orders.approve'], onBehalfOf: ['orders.approve', 'receipts.read'] },
    });
    const findings = await keycloak.issuers[0].checkup.run();
    expect(levels(findings)).toEqual({
      secret: 'ok',
      address: 'ok',
      tls: 'note',
      issuer: 'ok',
      credentials: 'ok',
      service_account: 'ok',
      clock: 'ok',
      lifetime: 'ok',
      next_service: 'ok',
      scope: 'ok',
    });
    expect(findings.filter(({ check }) => check === 'scope')).toHaveLength(3);
    expect(await keycloak.issuers[0].checkup.reach()).toEqual([
      { check: 'next_service', level: 'ok', message: `service-b answers at ${realm.issuer}.` },
    ]);
  });

  it('reports a called service that is unreachable (row 28) or has no declared scopes', async () => {
    const keycloak = keycloakOf();
    keycloak.service('service-b', { baseUrl: 'http://127.0.0.1:9', audience: 'service-b' });
    expect(await keycloak.issuers[0].checkup.reach()).toMatchObject([
      { level: 'error', message: 'service-b is unreachable at http://127.0.0.1:9: ECONNREFUSED.' },
    ]);
    expect(await keycloak.issuers[0].checkup.run()).toContainEqual(
      expect.objectContaining({
        level: 'note',
        message: 'service-b is registered without scopes, so no scope was tried.',
      }),
    );
  });

  it('stops at an error that makes further checks pointless', async () => {
    const findings = await keycloakOf({ clientSecret: 'not-its-password' }).issuers[0].checkup.run();
    expect(findings.slice(-2)).toMatchObject([
      { check: 'credentials', level: 'error' },
      { level: 'note', message: expect.stringContaining('The checks that depend on this were skipped') as unknown },
    ]);
    expect(JSON.stringify(findings)).not.toContain('not-its-password');
    const nowhere = await keycloakOf({ internalServerUrl: 'http://127.0.0.1:9' }).issuers[0].checkup.run();
    expect(nowhere.at(-2)).toMatchObject({ check: 'address', level: 'error', isUnreachable: true });
  });

  it('reports a missing role as an error only if the scopes are declared for asService()', async () => {
    const of = async (scopes: object): Promise<readonly Finding[]> => {
      const keycloak = keycloakOf({ clientId: 'service-b' });
      keycloak.service('service-c', { baseUrl: realm.issuer, audience: 'service-c', scopes });
      return (await keycloak.issuers[0].checkup.run()).filter(({ check }) => check === 'scope');
    };
    expect(worstOf(await of(['analytics.run']))).toBe('note');
    expect(await of({ asService: ['analytics.run'] })).toMatchObject([
      {
        level: 'error',
        message:
          'analytics.run as service-b itself, for service-c: the service account of service-b does not get the scope.',
      },
    ]);
    expect(await of({ onBehalfOf: ['analytics.run'] })).toMatchObject([{ level: 'note', needsAdministrator: true }]);
  });

  it('throws an unexpected TypeError, and does not report it as a fault of the settings', async () => {
    const broken = { refresh: () => Promise.reject(new TypeError('a bug')), get: () => Promise.reject(new Error()) };
    const parts = {
      options: keycloakOf().issuers[0].checkup.options,
      metadata: broken,
      credential: async () => undefined,
    } as object as CheckupParts;
    await expect(new Checkup(parts).run()).rejects.toThrow('a bug');
  });
});

describe('a checkup against a server that is not Keycloak', () => {
  const findingsAt = async (baseUrl: string): Promise<readonly Finding[]> =>
    keycloakOf({ internalServerUrl: baseUrl }).issuers[0].checkup.run();

  it.each([
    ['a login page', 200, 'text/html', '<html></html>', 'discovery'],
    ['JSON of another kind', 200, 'application/json', '{"a":1}', 'discovery'],
    ['an unknown realm', 404, 'application/json', '{}', 'realm'],
    ['a proxy that reaches no server', 502, 'text/html', '', 'address'],
  ])('reports an error: %s', async (_, status, type, body, check) => {
    const server = createServer((_request, response) => {
      response.writeHead(status, { 'content-type': type });
      response.end(body);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      const findings = await findingsAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      expect(findings.at(-2)).toMatchObject({ check, level: 'error' });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  describe('a checkup over TLS', () => {
    let folder: string;
    let server: Server;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'checkup-'));
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 1 -keyout ${key} -out ${cert}`;
      execFileSync('openssl', args.split(' '), { stdio: 'ignore' });
      server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
    });
    afterAll(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });

    it('reports an untrusted certificate, and says how to correct the fault (row 7)', async () => {
      const [finding] = (await findingsAt(`https://localhost:${(server.address() as AddressInfo).port}`)).slice(-2);
      expect(finding).toMatchObject({
        check: 'tls',
        level: 'error',
        message: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT') as unknown,
        cure: expect.stringContaining('NODE_EXTRA_CA_CERTS') as unknown,
      });
      expect(finding).not.toHaveProperty('isUnreachable');
    });
  });
});

describe('the findings of a checkup', () => {
  const parts = (more: Partial<CheckupParts>): CheckupParts =>
    ({
      options: keycloakOf().issuers[0].checkup.options,
      metadata: { refresh: () => Promise.resolve({}) },
      isProduction: false,
      ...more,
    }) as object as CheckupParts;

  it('are notes for weak secrets and http: URLs, but warnings or errors in production (row 9)', async () => {
    const shown = (secret: string) => ({ credential: async () => ({ kind: 'secret', secret }) as const });
    for (const [isProduction, ofSecrets, ofTls, ofPublished] of [
      [false, 'note', 'note', 'note'],
      [true, 'warning', 'warning', 'error'],
    ] as const) {
      const given = parts({ isProduction, ...shown('short') });
      expect((await secretFinding(given)).level).toBe(ofSecrets);
      expect(levels(await realmFindings(given, undefined))['tls']).toBe(ofTls);
      const published = parts({ isProduction, ...shown('a-secret') });
      expect((await secretFinding(published)).level).toBe(ofPublished);
      expect(await new Checkup(given).weaknesses()).toHaveLength(isProduction ? 2 : 0);
    }
  });

  it.each([
    ['a-secret', 'is a published demo secret or looks like one'],
    ['service-a-4711-a', 'is hardly more than the client id'],
    ['q8Zbservice-affK2mmmmm', undefined],
    ['0123456789abcde', 'is shorter than 16 characters'],
    ['0123456789abcdef', undefined],
  ])('depend on the strength of the secret: %s', (clientSecret, weakness) => {
    expect(secretWeakness({ clientId: 'service-a', clientSecret })?.words).toBe(weakness);
  });

  it.each([
    [19, 'warning'],
    [20, 'ok'],
    [3600, 'ok'],
    [3601, 'warning'],
    [36_001, 'warning'],
  ])('depend on the token lifetime: %i s', (lifetimeSeconds, level) => {
    expect(lifetimeFinding(parts({}), { lifetimeSeconds, scope: [], audiences: [] }).level).toBe(level);
  });

  it.each([
    [undefined, 'note'],
    [5, 'ok'],
    [-6, 'error'],
    [6, 'error'],
  ])('depend on the clock skew: %p s', (aheadSeconds, level) => {
    const measured = aheadSeconds === undefined ? undefined : { aheadSeconds, by: 'its Date header' as const };
    expect(clockFinding(measured, 5).level).toBe(level);
  });
});

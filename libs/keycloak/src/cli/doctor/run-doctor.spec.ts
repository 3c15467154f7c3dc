import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { CLIENT_SECRET, startTestRealm } from '../../../../keycloak-test-servers/spec-support/test-realm.js';
import { runDoctor, USAGE } from './run-doctor.js';

let realm: RunningAuthorizationServer;
let folder: string;
beforeAll(async () => {
  realm = await startTestRealm();
  folder = mkdtempSync(join(tmpdir(), 'doctor-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await realm.stop();
});

interface Ran {
  readonly exitCode: number;
  readonly printed: string;
  readonly failed: string;
}

async function doctor(
  args: readonly string[],
  environment: Record<string, string> = {},
  hasColors = false,
): Promise<Ran> {
  const ran = { printed: '', failed: '' };
  const exitCode = await runDoctor(args, {
    environment,
    print: (text) => void (ran.printed += text),
    printError: (text) => void (ran.failed += text),
    hasColors,
  });
  return { exitCode, ...ran };
}

const variables = (): Record<string, string> => ({
  KEYCLOAK_ISSUER: realm.issuer,
  KEYCLOAK_CLIENT_ID: 'service-a',
  KEYCLOAK_CLIENT_SECRET: CLIENT_SECRET,
  KEYCLOAK_ALLOW_INSECURE_REQUESTS: 'true',
});

const calls = (): string => `service-b=${realm.issuer},orders.approve,receipts.read`;

interface Json {
  readonly client: string;
  readonly worst: string;
  readonly counts: Record<string, number>;
  readonly findings: readonly { readonly check: string; readonly level: string; readonly message: string }[];
}

describe('the command doctor', () => {
  it('prints a checklist, and exits with 0 if all checks pass', async () => {
    const { exitCode, printed, failed } = await doctor(['--calls', calls(), '--accepts', 'orders.read'], variables());
    expect(failed).toBe('');
    expect(printed).toContain(`service-a at ${realm.issuer}\n`);
    expect(printed).toContain('✓ credentials ');
    expect(printed).toMatch(
      /✓ scope +receipts\.read on behalf of callers, for service-b: granted, for this audience only\./,
    );
    expect(printed).toMatch(/\n0 errors, 0 warnings, 1 note\.\n$/);
    expect(printed).not.toContain('\u001b');
    expect(exitCode).toBe(0);
  });

  it('prints JSON', async () => {
    const { exitCode, printed } = await doctor(['--json', '--calls', calls()], variables());
    const { client, worst, counts, findings } = JSON.parse(printed) as Json;
    expect({ client, worst, exitCode }).toEqual({ client: 'service-a', worst: 'note', exitCode: 0 });
    expect(counts).toMatchObject({ error: 0, warning: 0, note: 1 });
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'issuer', level: 'ok', message: expect.any(String) as unknown }),
    );
  });

  it('prefers a flag to the environment variable with the same meaning', async () => {
    const file = join(folder, 'secret');
    writeFileSync(file, `${CLIENT_SECRET}\n`);
    const args = ['--issuer', realm.issuer, '--client-id', 'service-b', '--client-secret-file', file];
    const environment = {
      ...variables(),
      KEYCLOAK_ISSUER: 'https://elsewhere.example/realms/x',
      KEYCLOAK_CLIENT_SECRET: 'x',
    };
    const { exitCode, printed } = await doctor([...args, '--allow-insecure-requests'], environment);
    expect(printed).toContain(`service-b at ${realm.issuer}`);
    expect(exitCode).toBe(0);
    const byVariable = { ...variables(), KEYCLOAK_CLIENT_SECRET: '', KEYCLOAK_CLIENT_SECRET_FILE: file };
    expect((await doctor([], byVariable)).exitCode).toBe(0);
  });

  it.each([
    [['--ca-file', '/nowhere/ca.pem'], {}],
    [[], { KEYCLOAK_CA_FILE: '/nowhere/ca.pem' }],
    [['--services-ca-file', '/nowhere/ca.pem', '--calls', 'service-b=http://localhost:9'], {}],
    [['--calls', 'service-b=http://localhost:9'], { SERVICES_CA_FILE: '/nowhere/ca.pem' }],
  ])('reads the CA file that the flags %j or the environment variables %j name', async (args, environment) => {
    const { exitCode, printed } = await doctor(args, { ...variables(), ...environment });
    expect(printed).toContain("tls.caFile can't be read (ENOENT)");
    expect(exitCode).toBe(2);
  });

  it('builds the issuer from the base URL and the realm', async () => {
    const [, base, name] = /^(.*)\/realms\/(.*)$/.exec(realm.issuer) ?? [];
    const { KEYCLOAK_ISSUER: _, ...others } = variables();
    const environment = { ...others, KEYCLOAK_BASE_URL: base ?? '', KEYCLOAK_REALM: name ?? '' };
    expect((await doctor([], environment)).printed).toContain(`service-a at ${realm.issuer}`);
  });

  it('exits with 1 for warnings and with 2 for errors', async () => {
    const wrong = await doctor([], { ...variables(), KEYCLOAK_CLIENT_SECRET: 'not-its-password' }, true);
    expect(wrong.exitCode).toBe(2);
    expect(wrong.printed).toContain('✗\u001b[0m credentials  Keycloak refuses the credentials of service-a');
    expect(wrong.printed).toContain('→\u001b[0m Compare clientId and clientSecret');
    expect(wrong.printed + wrong.failed).not.toContain('not-its-password');
    const misspelt = await doctor(['--accepts', 'orders.reed'], variables());
    expect(misspelt.printed).toContain('--accepts demands orders.reed, but the realm lists no such client scope');
    expect(misspelt.exitCode).toBe(1);
  });

  it.each([
    [{ KEYCLOAK_ALLOW_INSECURE_REQUESTS: '' }, 'issuer must be https: (or allowInsecureRequests must be true'],
    [
      { KEYCLOAK_ISSUER: 'https://sso.example.com/realms/shop/' },
      'issuer must end in /realms/<realm>, without a final slash',
    ],
    [{ KEYCLOAK_CLIENT_SECRET: '' }, 'clientSecret must be given'],
    [{ KEYCLOAK_ISSUER: '' }, 'issuer must be given'],
  ])('reports settings that prevent a service from starting: %j', async (changed, message) => {
    const { exitCode, printed } = await doctor([], { ...variables(), ...changed });
    expect(printed).toContain(`✗ settings  ${message}`);
    expect(exitCode).toBe(2);
  });

  it.each([
    [['--secret', 'x'], "Unknown option '--secret'"],
    [['--calls', 'service-b'], '--calls must be <audience>=<URL>'],
    [['--admin'], 'the access token of an administrator must be in KEYCLOAK_ADMIN_TOKEN'],
    [['--client-secret-file', '/nowhere/my-secret'], "the file for KEYCLOAK_CLIENT_SECRET can't be read (ENOENT)"],
    [['--permissions', '/nowhere.json'], '/nowhere.json does not exist'],
    [['--module', './nowhere.js'], "./nowhere.js can't be imported"],
  ])('exits with 3 for the arguments %j', async (args, message) => {
    const { exitCode, printed, failed } = await doctor(args, variables());
    expect(failed).toContain(`doctor: ${message}`);
    expect(failed).not.toContain('my-secret');
    expect({ exitCode, printed }).toEqual({ exitCode: 3, printed: '' });
  });

  it("reports that it could not read the realm if Keycloak refuses the administrator's token", async () => {
    const { exitCode, printed } = await doctor(['--admin'], { ...variables(), KEYCLOAK_ADMIN_TOKEN: 'no.token' });
    expect(printed).toMatch(
      /✗ administrator +The realm can't be read as an administrator: \/admin\/realms\/microservices answers 401/,
    );
    expect(exitCode).toBe(2);
  });

  it('reports no fault if the realm of the embedded test server can not be read', async () => {
    const form = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: 'admin' };
    const url = `${realm.baseUrl}/realms/master/protocol/openid-connect/token`;
    const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
    const { access_token } = (await answer.json()) as { access_token: string };
    const { exitCode, printed } = await doctor(['--admin'], { ...variables(), KEYCLOAK_ADMIN_TOKEN: access_token });
    expect(printed).toMatch(/– administrator +The realm was not read: the embedded test server/);
    expect(exitCode).toBe(0);
  });

  it('prints its usage', async () => {
    expect(await doctor(['--help'])).toEqual({ exitCode: 0, printed: USAGE, failed: '' });
  });
});

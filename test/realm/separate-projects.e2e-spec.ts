import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const LIBRARY = 'nestjs-keycloak-s2s';
const ROOT = join(import.meta.dirname, '../..');

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'separate-projects-'));
  project(
    'billing',
    `KeycloakModule.forFeature([{ name: 'ledger', baseUrl: 'https://ledger.internal', audience: 'ledger', scopes: { onBehalfOf: ['entries.read'] } }])`,
  );
  project('ledger');
  const permissions = { 'entries.read': { everyone: true } };
  writeFileSync(join(folder, 'keycloak-permissions.json'), JSON.stringify({ permissions }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function project(name: string, ...imports: readonly string[]): void {
  const modules = join(folder, name, 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const each of readdirSync(join(ROOT, 'node_modules'))) {
    if (each !== LIBRARY) symlinkSync(join(ROOT, 'node_modules', each), join(modules, each));
  }
  for (const part of ['dist', 'package.json']) {
    cpSync(join(ROOT, 'libs/keycloak', part), join(modules, LIBRARY, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'libs/keycloak/node_modules'), join(modules, LIBRARY, 'node_modules'));
  writeFileSync(join(folder, name, 'package.json'), JSON.stringify({ name, type: 'module' }));
  writeFileSync(
    join(folder, name, 'app.module.js'),
    `import { Module } from '@nestjs/common';
import { KeycloakModule } from '${LIBRARY}';
if (!process.env.CLIENT_SECRET) throw new Error('CLIENT_SECRET must be set');
const options = { issuer: 'https://keycloak.example/realms/shop', clientId: '${name}', clientSecret: process.env.CLIENT_SECRET };
export class AppModule {}
Module({ imports: [${['KeycloakModule.forRoot(options)', ...imports].join(', ')}] })(AppModule);
`,
  );
}

async function realm(
  cwd: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = { CLIENT_SECRET: 'example' },
) {
  const command = join(folder, cwd, 'node_modules', LIBRARY, 'dist/cli/cli.js');
  const options = { cwd: join(folder, cwd), env: { PATH: process.env['PATH'], ...environment } };
  return promisify(execFile)(process.execPath, [command, 'realm', ...args], options).then(
    ({ stdout, stderr }) => ({ exitCode: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      exitCode: code,
      stdout,
      stderr,
    }),
  );
}

const BOTH = ['--module', 'app.module.js', '--module', '../ledger/app.module.js'];
const PERMISSIONS = ['--permissions', '../keycloak-permissions.json'];

describe('realm plan with modules of two projects, each with its own copy of the library', () => {
  it('plans both clients, and the permission of the called service', async () => {
    const { exitCode, stdout, stderr } = await realm('billing', ['plan', ...BOTH, ...PERMISSIONS, '--format', 'json']);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('billing asks for entries.read')]);
    const { clients, otherClients, permissions } = JSON.parse(stdout) as Record<string, { clientId?: string }[]>;
    expect(clients?.map(({ clientId }) => clientId)).toEqual(['billing', 'ledger']);
    expect(otherClients).toEqual([]);
    expect(permissions).toEqual([{ name: 'entries.read', audience: 'ledger', clients: ['billing'], everyone: true }]);
  });

  it('prints the error of the module that can not be loaded', async () => {
    const { exitCode, stderr } = await realm('billing', ['plan', ...BOTH.slice(2), ...PERMISSIONS], {});
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('CLIENT_SECRET must be set')]);
  });

  it('refuses a module that uses another version of the library', async () => {
    const manifest = join(folder, 'ledger/node_modules', LIBRARY, 'package.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/"version": ".*?"/, '"version": "0.0.1"'));
    const { exitCode, stderr } = await realm('billing', ['plan', ...BOTH, ...PERMISSIONS]);
    expect([exitCode, stderr]).toEqual([
      3,
      expect.stringMatching(/ledger.*uses nestjs-keycloak-s2s 0\.0\.1, .*same version/),
    ]);
  });
});

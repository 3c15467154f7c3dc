import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { runMigration } from '../src/cli/migration/run-migration.js';

export interface Ran {
  readonly exitCode: number;
  readonly printed: string;
  readonly failed: string;
}

export class MigratedProject {
  readonly folder = mkdtempSync(join(tmpdir(), 'migration-'));

  constructor(
    files: Readonly<Record<string, string>>,
    private readonly hasTypeScript = true,
  ) {
    if (this.hasTypeScript) symlinkSync(resolve('node_modules'), join(this.folder, 'node_modules'));
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'utf8');
  }

  async run(...args: readonly string[]): Promise<Ran> {
    const ran = { printed: '', failed: '' };
    const exitCode = await runMigration(args, {
      folder: this.folder,
      print: (text) => void (ran.printed += text),
      printError: (text) => void (ran.failed += text),
    });
    return { exitCode, ...ran };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

export const ROOT_MODULE = `import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthGuard, KeycloakConnectModule, ResourceGuard, RoleGuard } from 'nest-keycloak-connect';

@Module({
  imports: [KeycloakConnectModule.register({ authServerUrl: 'https://id', realm: 'shop', clientId: 'a', secret: 's' })],
  providers: [
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_GUARD, useClass: ResourceGuard },
    { provide: APP_GUARD, useClass: RoleGuard },
  ],
})
export class AppModule {}
`;

export async function migrated(text: string, root = ROOT_MODULE, path = 'src/orders.controller.ts'): Promise<string> {
  const project = new MigratedProject({ 'src/app.module.ts': root, [path]: text });
  try {
    const { exitCode, failed } = await project.run('--write', 'src');
    if (exitCode === 3) throw new Error(failed);
    return project.read(path);
  } finally {
    project.remove();
  }
}

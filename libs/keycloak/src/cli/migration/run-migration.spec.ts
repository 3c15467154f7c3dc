import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MigratedProject, ROOT_MODULE } from '../../../spec-support/migrated-project.js';

let project: MigratedProject;

describe('migrate-from-nest-keycloak-connect', () => {
  afterEach(() => project.remove());

  it('prints a diff and changes no file without --write', async () => {
    project = new MigratedProject({ 'src/app.module.ts': ROOT_MODULE });
    const { exitCode, printed } = await project.run('src');
    expect(exitCode).toBe(0);
    expect(printed).toMatch(/^--- a\/src\/app[.]module[.]ts\n\+\+\+ b\/src\/app[.]module[.]ts\n@@ -1,/);
    expect(printed).toContain(`\n-import { APP_GUARD } from '@nestjs/core';\n`);
    expect(printed).toContain('Add --write to write the files.');
    expect(project.read('src/app.module.ts')).toBe(ROOT_MODULE);
  });

  it('prints no client secret', async () => {
    const secret = `process.env['SECRET'] ?? 'a-fixed-secret'`;
    project = new MigratedProject({ 'src/app.module.ts': ROOT_MODULE.replace(`secret: 's'`, `secret: ${secret}`) });
    const { printed } = await project.run('src');
    expect(printed).not.toContain('a-fixed-secret');
    expect(printed).toContain(`clientSecret: process.env['SECRET'] ?? '***'`);
  });

  it.each([
    [`config.get('SECRET', 'a-fixed-secret')`, `config.get('SECRET', '***')`],
    [`new Secret('a-fixed-secret')`, `new Secret('***')`],
    [`readFileSync('/run/secret', 'utf8') + 'a-fixed-secret'`, `readFileSync('/run/secret', 'utf8') + '***'`],
  ])('prints only the first argument of a call for a client secret: %s → %s', async (secret, shown) => {
    project = new MigratedProject({ 'src/app.module.ts': ROOT_MODULE.replace(`secret: 's'`, `secret: ${secret}`) });
    const { printed } = await project.run('src');
    expect(printed).not.toContain('a-fixed-secret');
    expect(printed).toContain(`clientSecret: ${shown}`);
  });

  it('prints no client secret that is the value of a constant', async () => {
    const module = ROOT_MODULE.replace(`secret: 's'`, 'secret: CLIENT.SECRET');
    const constant = `const FIXED = 'a-fixed-secret';\nconst CLIENT = { SECRET: FIXED };\n`;
    project = new MigratedProject({ 'src/app.module.ts': module.replace(/(?=@Module)/, constant) });
    const { printed } = await project.run('src');
    expect(printed).toContain("const FIXED = '***'");
    expect(printed).not.toContain('a-fixed-secret');
  });

  it('changes no declaration file, no node_modules folder, and no file behind a symbolic link', async () => {
    const untouched = ['src/types.d.ts', 'src/node_modules/a/index.ts', 'src/.hidden/a.ts', 'outside/a.ts'];
    project = new MigratedProject({
      'src/app.module.ts': ROOT_MODULE,
      ...Object.fromEntries(untouched.map((path) => [path, ROOT_MODULE])),
    });
    symlinkSync(join(project.folder, 'outside'), join(project.folder, 'src/linked'));
    symlinkSync(join(project.folder, 'outside/a.ts'), join(project.folder, 'src/linked.ts'));
    const { exitCode, printed } = await project.run('--write', 'src');
    expect(exitCode).toBe(1);
    expect(printed).toContain('changed 1 of 1 files');
    expect(printed).toContain(
      'Left alone:\n  src/linked: it is a symbolic link\n  src/linked.ts: it is a symbolic link\n',
    );
    for (const path of untouched) expect(project.read(path)).toBe(ROOT_MODULE);
  });

  it('leaves a file alone that uses both libraries, because a second decorator would stop the start', async () => {
    const both = `import { Unprotected } from 'nest-keycloak-connect';\nimport { Public } from 'nestjs-keycloak-s2s';\n`;
    project = new MigratedProject({ 'src/app.module.ts': ROOT_MODULE, 'src/orders.controller.ts': both });
    const { exitCode, printed } = await project.run('--write', 'src');
    expect(exitCode).toBe(1);
    expect(printed).toContain('Left alone:\n  src/orders.controller.ts: it uses nest-keycloak-connect and nestjs-');
    expect(project.read('src/orders.controller.ts')).toBe(both);
  });

  it('says that it left the root module alone if the root module uses both libraries', async () => {
    const root = `import { KeycloakModule } from 'nestjs-keycloak-s2s';\n${ROOT_MODULE}void KeycloakModule;\n`;
    const orders = `import { Public } from 'nest-keycloak-connect';\n`;
    project = new MigratedProject({ 'src/app.module.ts': root, 'src/orders.controller.ts': orders });
    const { exitCode, failed } = await project.run('--write', 'src');
    expect(exitCode).toBe(3);
    expect(failed).toMatch(/src\/app[.]module[.]ts registers KeycloakConnectModule, but was left alone: it uses nest-/);
    expect(failed).not.toContain('name the folder');
  });

  it.each([[['src']], [['--write', 'src']]])('exits with 3 if its result does not parse, with %j', async (args) => {
    const orders = `import { Controller, Get } from '@nestjs/common';
import { Roles } from 'nest-keycloak-connect'; export const all = [
  Roles,
];
@Controller()
export class Orders {
  @Get() read() {}
}
`;
    project = new MigratedProject({ 'src/app.module.ts': ROOT_MODULE, 'src/orders.controller.ts': orders });
    const { exitCode, printed, failed } = await project.run(...args);
    expect({ exitCode, printed }).toEqual({ exitCode: 3, printed: '' });
    expect(failed).toMatch(/break the syntax of:\n {2}src\/orders[.]controller[.]ts: line \d+: .+\n$/);
    expect(project.read('src/app.module.ts')).toBe(ROOT_MODULE);
  });

  it('exits with 0 despite a symbolic link to files that do not use nest-keycloak-connect', async () => {
    const files = { 'src/a/b.ts': '', 'outside/a.ts': '', 'outside/logo.svg': '' };
    project = new MigratedProject({ 'src/app.module.ts': ROOT_MODULE, ...files });
    symlinkSync(join(project.folder, 'outside'), join(project.folder, 'src/linked'));
    symlinkSync(join(project.folder, 'src/a'), join(project.folder, 'src/same'));
    symlinkSync(join(project.folder, 'outside/logo.svg'), join(project.folder, 'src/logo.svg'));
    const { exitCode, printed } = await project.run('--write', 'src');
    expect(printed).toMatch(/ 1 of 2 files[.]\nLeft alone:\n {2}src\/linked: it is a symbolic link\n$/);
    expect(exitCode).toBe(0);
  });

  it('exits with 1 if a symbolic link cannot be read', async () => {
    project = new MigratedProject({ 'src/app.module.ts': ROOT_MODULE });
    symlinkSync(join(project.folder, 'missing'), join(project.folder, 'src/linked'));
    const { exitCode, printed } = await project.run('src');
    expect(printed).toContain('Left alone:\n  src/linked: it is a symbolic link that cannot be read\n');
    expect(exitCode).toBe(1);
  });

  it.each([
    ['src/app.module.ts', ['src']],
    ['src/app.module.ts', ['--write', 'src']],
    ['src/orders.controller.ts', ['--write', 'src']],
  ])('exits with 3 and changes no file for a syntax error in %s, with the arguments %j', async (broken, args) => {
    const orders = `import { Public } from 'nest-keycloak-connect';\n`;
    const files = { 'src/app.module.ts': ROOT_MODULE, 'src/orders.controller.ts': orders };
    const faulty = { ...files, [broken]: `${ROOT_MODULE}export class {{\n` };
    project = new MigratedProject(faulty);
    const { exitCode, printed, failed } = await project.run(...args);
    expect(exitCode).toBe(3);
    expect(printed).toBe('');
    expect(failed).toMatch(new RegExp(`do not parse:\\n  ${broken}: line 14: .+\\n$`));
    expect(failed).not.toContain('KeycloakConnectModule.register');
    for (const [path, text] of Object.entries(faulty)) expect(project.read(path)).toBe(text);
  });

  it('prints a syntax error before the diff', async () => {
    const broken = ROOT_MODULE.replace('@Module({', '@Module({{');
    project = new MigratedProject({ 'src/app.module.ts': ROOT_MODULE, 'src/orders.ts': broken });
    const { exitCode, printed, failed } = await project.run('src');
    expect(exitCode).toBe(1);
    expect(failed).toMatch(/do not parse:\n {2}src\/orders[.]ts: line 5: .+\n$/);
    expect(printed).toMatch(/^--- a\/src\/app[.]module[.]ts\n/);
  });

  it('skips a file that does not parse or is not UTF-8, and migrates the other files', async () => {
    project = new MigratedProject({ 'src/app.module.ts': ROOT_MODULE, 'src/broken.ts': 'export class {\n  @' });
    cpSync('docs/images/matrix.png', join(project.folder, 'src/image.ts'));
    const { exitCode, printed } = await project.run('--write', 'src');
    expect(exitCode).toBe(1);
    expect(printed).toContain('changed 1 of');
    expect(printed).toMatch(/Left alone:\n(.*\n)*?  src\/broken[.]ts: line 2: Expression expected/);
    expect(printed).toContain('  src/image.ts: it is not UTF-8');
    expect(project.read('src/broken.ts')).toBe('export class {\n  @');
  });

  it('does not change an application that does not use nest-keycloak-connect', async () => {
    const controller = `import { Controller, Get } from '@nestjs/common';
@Controller()
export class Orders {
  @Get()
  read() {}
}
`;
    const main = (module: string): string =>
      `import { NestFactory } from '@nestjs/core';\nimport { AppModule } from './${module}';\nvoid NestFactory;\n`;
    project = new MigratedProject({
      'src/main.ts': main('app.module'),
      'src/app.module.ts': `${ROOT_MODULE}import './orders.controller';\n`,
      'src/orders.controller.ts': controller,
      'src/other-main.ts': main('other.module'),
      'src/other.module.ts': `import './other.controller';\nexport class AppModule {}\n`,
      'src/other.controller.ts': controller,
    });
    expect(await project.run('--write', 'src')).toMatchObject({ exitCode: 0 });
    expect(project.read('src/other.controller.ts')).toBe(controller);
    expect(project.read('src/orders.controller.ts')).toContain('@Controller()\n@Authenticated()\n');
  });

  it('keeps the byte order mark of a file', async () => {
    project = new MigratedProject({ 'src/app.module.ts': `\uFEFF${ROOT_MODULE}` });
    await project.run('--write', 'src/app.module.ts');
    expect(project.read('src/app.module.ts')).toMatch(/^\uFEFFimport [^\n]*\nimport \{ KeycloakModule \}/);
  });

  it('prints only a summary with --write', async () => {
    project = new MigratedProject({ 'src/app.module.ts': ROOT_MODULE });
    expect((await project.run('--write', 'src')).printed).toBe(
      'migrate-from-nest-keycloak-connect: changed 1 of 1 files.\n',
    );
  });
});

describe('migrate-from-nest-keycloak-connect without a migration', () => {
  afterEach(() => project.remove());

  it.each([
    [[], 'no PATH is given'],
    [['--unknown', 'src'], "Unknown option '--unknown'"],
    [['missing'], 'does not exist'],
    [['lib'], 'no file calls KeycloakConnectModule.register or registerAsync'],
  ])('exits with 3 for the arguments %j', async (args, message) => {
    project = new MigratedProject({ 'lib/a.ts': `import { Public } from 'nest-keycloak-connect';\n` });
    expect(await project.run(...args)).toMatchObject({
      exitCode: 3,
      printed: '',
      failed: expect.stringContaining(message),
    });
  });

  it('exits with 3 if the project has no TypeScript', async () => {
    project = new MigratedProject({ 'src/app.module.ts': ROOT_MODULE }, false);
    expect((await project.run('src')).failed).toMatch(
      /has no package typescript: install the project's dependencies\n$/,
    );
  });

  it.each([
    ['4.9.5', 'typescript 4.9.5 is not supported: install 5.0 or newer'],
    ['99.0.0', 'typescript 99.0.0 has no API that this command knows: install typescript@6'],
  ])('exits with 3 for TypeScript %s', async (version, message) => {
    const manifest = JSON.stringify({ name: 'typescript', version });
    project = new MigratedProject(
      { 'src/app.module.ts': ROOT_MODULE, 'node_modules/typescript/package.json': manifest },
      false,
    );
    expect(await project.run('src')).toMatchObject({ exitCode: 3, failed: expect.stringContaining(message) });
  });

  it('prints the flags and exits with 0 if the argument is --help', async () => {
    project = new MigratedProject({});
    expect(await project.run('--help')).toMatchObject({
      exitCode: 0,
      failed: '',
      printed: expect.stringContaining('--write'),
    });
  });
});

import { describe, expect, it } from '@jest/globals';
import { controller, method, migratedClass, NO_GUARDS, TODO } from '../../../spec-support/migrated-classes.js';
import { migrated, MigratedProject, ROOT_MODULE } from '../../../spec-support/migrated-project.js';

describe('a class without a decorator', () => {
  const plain = controller(method(''));

  it('gets @Authenticated() if AuthGuard was registered for the application', async () => {
    expect((await migratedClass(plain)).slice(0, 3)).toEqual([
      '@Controller()',
      '@Authenticated()',
      'export class Orders {',
    ]);
  });

  it('stays closed with a comment without AuthGuard', async () => {
    const lines = await migratedClass(plain, NO_GUARDS);
    expect(lines).toEqual(['@Controller()', 'export class Orders {', TODO, '@Get()', 'read() {}', '}']);
  });

  it.each([
    ['in a conditional list', '...(isProduction ? [{ provide: APP_GUARD, useClass: AuthGuard }] : [])'],
    ['as a conditional class', '{ provide: APP_GUARD, useClass: isProduction ? AuthGuard : OtherGuard }'],
    ['under another token', '{ provide: OTHER, useClass: AuthGuard }'],
  ])('stays closed if AuthGuard is registered %s', async (_, provider) => {
    const lines = await migratedClass(
      plain,
      ROOT_MODULE.replace(/providers: \[[^\]]*\],/, () => `providers: [${provider}],`),
    );
    expect(lines).not.toContain('@Authenticated()');
    expect(lines).toContainEqual(TODO);
  });

  it('gets @Authenticated() for @UseGuards(AuthGuard, RoleGuard), which is removed', async () => {
    const lines = await migratedClass(controller(method(''), '@UseGuards(AuthGuard, RoleGuard)'), NO_GUARDS);
    expect(lines.slice(0, 3)).toEqual(['@Controller()', '@Authenticated()', 'export class Orders {']);
  });

  it('keeps its own guards', async () => {
    const lines = await migratedClass(controller(method(''), '@UseGuards(AuthGuard, OwnGuard, RoleGuard)'), NO_GUARDS);
    expect(lines.slice(0, 3)).toEqual(['@Controller()', '@UseGuards(OwnGuard)', '@Authenticated()']);
  });

  it('opens only the method that @UseGuards(AuthGuard) guarded', async () => {
    const body = `${method('@UseGuards(AuthGuard)')}\n  @Get('all')\n  all() {}`;
    const lines = await migratedClass(controller(body), NO_GUARDS);
    expect(lines).toEqual([
      '@Controller()',
      'export class Orders {',
      '@Get()',
      '@Authenticated()',
      'read() {}',
      TODO,
      `@Get('all')`,
      'all() {}',
      '}',
    ]);
  });

  it.each([
    ['an own decorator', `@Auth('admin')`, `import { Auth } from './auth';`],
    ['an own decorator from a missing package', `@Auth('admin')`, `import { Auth } from '@company/auth';`],
    ['a member of a namespace', `@auth.Only('admin')`, `import * as auth from './auth';`],
    ['metadata', `@SetMetadata('roles', ['admin'])`, ''],
    ['composed decorators', '@applyDecorators(X)', ''],
  ])('leaves a handler with %s closed, and opens the others', async (_, decorator, imports) => {
    const body = `${method(decorator)}\n  @Get('all')\n  all() {}`;
    const lines = await migratedClass(controller(body), undefined, imports);
    expect(lines).toEqual([
      '@Controller()',
      'export class Orders {',
      TODO,
      '@Get()',
      decorator,
      'read() {}',
      `@Get('all')`,
      '@Authenticated()',
      'all() {}',
      '}',
    ]);
  });

  it('does not open a method whose route may be in an own decorator', async () => {
    const body = `${method('')}\n  @AdminGet('all')\n  all() {}`;
    const lines = await migratedClass(controller(body), undefined, `import { AdminGet } from './auth';`);
    expect(lines.slice(0, 4)).toEqual(['@Controller()', 'export class Orders {', '@Get()', '@Authenticated()']);
    expect(lines.slice(5)).toEqual([TODO, `@AdminGet('all')`, 'all() {}', '}']);
  });

  it('stays as it is with an unknown decorator on the class', async () => {
    const lines = await migratedClass(
      controller(method('@Public()'), '@Auth()'),
      undefined,
      `import { Auth } from './auth';`,
    );
    expect(lines).toEqual([
      TODO,
      '@Controller()',
      '@Auth()',
      'export class Orders {',
      '@Get()',
      '@Public()',
      'read() {}',
      '}',
    ]);
  });

  it('does not open inherited handlers', async () => {
    const lines = await migratedClass(controller(method('')).replace('Orders {', 'Orders extends Base {'));
    expect(lines).toEqual([
      TODO,
      '@Controller()',
      'export class Orders extends Base {',
      '@Get()',
      '@Authenticated()',
      'read() {}',
      '}',
    ]);
  });

  it('leaves message handlers closed', async () => {
    const imports = `import { MessagePattern } from '@nestjs/microservices';`;
    const lines = await migratedClass(controller(`  @MessagePattern('a')\n  read() {}`), undefined, imports);
    expect(lines).toEqual(['@Controller()', 'export class Orders {', TODO, `@MessagePattern('a')`, 'read() {}', '}']);
  });

  it('gets the decorator of resolvers', async () => {
    const resolver = `@Resolver()\nexport class Orders {\n  @Query()\n  read() {}\n}`;
    const lines = await migratedClass(resolver, undefined, `import { Query, Resolver } from '@nestjs/graphql';`);
    expect(lines.slice(0, 2)).toEqual(['@Resolver()', '@Authenticated()']);
  });
});

const TODO_LINE = '// TODO\\(nestjs-keycloak-s2s\\): [^\\n]+[.]\\n';

async function withFree(helper: string, body: string): Promise<string> {
  const imports = `import { applyDecorators, Controller, Get, SetMetadata } from '@nestjs/common';
import { Public, Public as Open, Roles, Unprotected } from 'nest-keycloak-connect';
import * as connect from 'nest-keycloak-connect';`;
  return migrated(`${imports}\n\n${helper}\n\n${body}\n`);
}

describe('@Public() outside of a decorator position', () => {
  it.each([
    ['composed decorators', 'const Free = () => applyDecorators(Public());'],
    ['optional tokens', 'const Free = () => applyDecorators(Unprotected(false));'],
    ['a member of a namespace', 'const Free = () => connect.Public();'],
    ['another name', 'const Free = Open;'],
    ['a condition', 'const Free = () => (isOpen ? Unprotected() : Roles(old));'],
    ['a spread list', 'const all = [Public()];\nconst Free = () => applyDecorators(...all);'],
    ['a bound function', 'const Free = Public.bind(undefined, true);'],
  ])('grants nothing in %s', async (_, helper) => {
    const ofMethod = `@Controller('a')
@Roles({ roles: ['realm:clerk'] })
class A {
  @Get('one')
  one() {}
  @Free()
  @Get('two')
  two() {}
}`;
    const text = await withFree(helper, ofMethod);
    expect(text).toContain(helper.split('\n').at(-1));
    expect(text).toMatch(new RegExp(`${TODO_LINE}(const all|const Free)`));
    expect(text).toMatch(new RegExp(`${TODO_LINE} *@Free`));
    expect(text).toMatch(/@RequirePermission\('(realm:)?clerk'\)\n +one\(\)/);
    expect(text).not.toMatch(/import \{[^}]*(Public|OptionalToken)[^}]*\} from 'nestjs-keycloak-s2s'/);
    const ofClass = `@Controller('d')
@Free()
class D {
  @Roles({ roles: ['realm:a'] })
  @Get('two')
  two() {}
}`;
    const closed = await withFree(helper, ofClass);
    expect(closed).toContain(`@Free()\nclass D {\n  @Roles({ roles: ['realm:a'] })\n`);
    expect(closed).not.toContain(`from 'nestjs-keycloak-s2s'`);
  });

  it('keeps its name beside the new decorator', async () => {
    const body = `@Controller()\nclass A {\n  @Public()\n  @Get()\n  read() {}\n}`;
    const text = await withFree('const Both = () => applyDecorators(Public(), Roles(old));', body);
    expect(text).toContain('applyDecorators(Public(), Roles(old))');
    expect(text).toContain(`import { Public as S2sPublic } from 'nestjs-keycloak-s2s';`);
    expect(text).toContain('  @S2sPublic()\n  @Get()\n');
  });
});

describe('a decorator of another file', () => {
  const AUTH = `import { readFileSync } from 'node:fs';
import { ApiTags } from '@nestjs/swagger';
import names from './names.json';
`;
  it.each([
    ['imports a file outside of the given folders', `${AUTH}import { Only } from '../libs/only';`, false],
    ['requires a file outside of the given folders', `${AUTH}const { Only } = require('../libs/only');`, false],
    ['exports a missing package', `${AUTH}export * from '@company/only';`, false],
    ['imports only Node.js, Nest and JSON', AUTH, true],
  ])('leaves the route closed unless it is known, if it %s', async (_, auth, isOpen) => {
    const project = new MigratedProject({
      'src/app.module.ts': ROOT_MODULE,
      'src/auth.ts': `${auth}\nexport const Auth = () => Only();\n`,
      'src/a.controller.ts': controller(method('@Auth()')).replace(
        /^/,
        `import { Controller, Get } from '@nestjs/common';\nimport { Auth } from './auth';\n`,
      ),
    });
    await project.run('--write', 'src');
    expect(project.read('src/a.controller.ts').includes('@Authenticated()')).toBe(isOpen);
    project.remove();
  });
});

import { describe, expect, it } from '@jest/globals';
import { migrated, ROOT_MODULE } from '../../../spec-support/migrated-project.js';

const NEST = `import { Controller, Get, UseGuards, applyDecorators, SetMetadata } from '@nestjs/common';`;
const OLD = `import { AuthenticatedUser, AuthGuard, EnforcerOptions, Public, Resource, RoleGuard, RoleMatchingMode, Roles, Scopes, Unprotected } from 'nest-keycloak-connect';`;
const NO_GUARDS = ROOT_MODULE.replace(/providers: \[[^\]]*\],/, '');

/** Returns the class without its imports, and without indentation. */
async function migratedClass(text: string, root?: string, imports = ''): Promise<string[]> {
  const result = await migrated(`${NEST}\n${OLD}\n${imports}\n${text}\n`, root);
  const start = result.split('\n').findIndex((line) => line.startsWith('@') || line.startsWith('// TODO'));
  return result
    .split('\n')
    .slice(start)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

const method = (decorators: string, parameters = ''): string => `  @Get()\n  ${decorators}\n  read(${parameters}) {}`;
const controller = (body: string, decorators = ''): string =>
  `@Controller()\n${decorators}\nexport class Orders {\n${body}\n}`;
/** Returns the lines between `@Get()` and the method. */
async function ofMethod(decorators: string, classDecorators = '', root?: string): Promise<string[]> {
  const lines = await migratedClass(controller(method(decorators), classDecorators), root);
  return lines.slice(lines.indexOf('@Get()') + 1, lines.indexOf('read() {}'));
}

const TODO = expect.stringMatching(/^\/\/ TODO\(nestjs-keycloak-s2s\): .+[.]$/);

describe('the decorators of a handler', () => {
  it.each([
    ['@Public()', '@Public()'],
    ['@Unprotected()', '@Public()'],
    ['@Public(true)', '@Public()'],
    ['@Public(false)', '@OptionalToken()'],
    ['@Unprotected(false)', '@OptionalToken()'],
    [`@Roles({ roles: ['realm:a', 'realm:b'] })`, `@RequireAnyPermission('a', 'b')`],
    [`@Roles({ roles: ['realm:a', 'realm:b'], mode: RoleMatchingMode.ANY })`, `@RequireAnyPermission('a', 'b')`],
    [`@Roles({ roles: ['realm:a', 'realm:b'], mode: RoleMatchingMode.ALL })`, `@RequirePermission('a', 'b')`],
    [`@Roles({ roles: ['realm:a'] })`, `@RequirePermission('a')`],
    [`@Roles({ roles: ['a', 'b'] })`, `@RequireAnyPermission('a', 'b')`],
    [`@Roles({ roles: ['other:a', 'realm:b'] })`, `@RequireAnyPermission('other:a', 'realm:b')`],
    [`@Roles({ roles: [Role.Admin, 'realm:b'] })`, `@RequireAnyPermission(Role.Admin, 'realm:b')`],
    [`@Roles('realm:a', 'realm:b')`, `@RequireAnyPermission('a', 'b')`],
    [`@Roles({ roles: [] })`, `@Authenticated()`],
  ])('become %s → %s without a comment', async (before, after) => {
    expect(await ofMethod(before)).toEqual([after]);
  });

  it.each([
    ['roles in a constant', '@Roles({ roles: ROLES })'],
    ['roles in a variable', '@Roles({ roles: [role] })'],
    ['spread roles', `@Roles({ roles: [...ROLES, 'realm:a'] })`],
    ['spread options', '@Roles({ ...OPTIONS })'],
    ['an unclear mode', `@Roles({ roles: ['a', 'b'], mode })`],
    ['a name with two colons', `@Roles({ roles: ['realm:a:b'] })`],
    ['a constant scope', '@Scopes(SCOPE.toString())'],
  ])('stay with a comment for %s, and the route stays closed', async (_, before) => {
    const lines = await migratedClass(controller(`${method(before)}\n  @Get('all')\n  all() {}`));
    expect(lines).toEqual([
      '@Controller()',
      'export class Orders {',
      '@Get()',
      TODO,
      before,
      'read() {}',
      `@Get('all')`,
      '@Authenticated()',
      'all() {}',
      '}',
    ]);
  });

  it('get the stricter meaning and a comment if @Public and roles are combined', async () => {
    expect(await ofMethod(`@Public()\n@Roles({ roles: ['realm:a'] })`)).toEqual([TODO, `@RequirePermission('a')`]);
  });

  it('demand the roles of the class and of the method, because nest-keycloak-connect 1 checked those of the class', async () => {
    const lines = await ofMethod(`@Roles({ roles: ['realm:b'] })`, `@Roles({ roles: ['realm:a'] })`);
    expect(lines).toEqual([TODO, `@RequirePermission('a')`, `@RequirePermission('b')`]);
  });

  it('lose @Public below roles of the class, because RoleGuard refused every call', async () => {
    expect(await ofMethod('@Public()', `@Roles({ roles: ['realm:a'] })`)).toEqual([TODO]);
  });

  it('demand a permission with a comment for UMA scopes', async () => {
    expect(await ofMethod(`@Scopes('View')`, `@Resource('product')`)).toEqual([
      TODO,
      `@RequirePermission('product:View')`,
    ]);
  });

  it('open nothing if ENFORCING refused routes without a resource', async () => {
    const root = ROOT_MODULE.replace(`secret: 's'`, `secret: 's', policyEnforcement: mode`);
    for (const before of ['@Public()', `@Roles({ roles: ['realm:a'] })`, '']) {
      const lines = await migratedClass(controller(method(before)), root);
      expect(lines.join('\n')).not.toMatch(/^@(Public|Authenticated|Optional|Require)/m);
      expect(lines).toContainEqual(TODO);
    }
  });

  it('get a comment if RoleGuard did not check the roles', async () => {
    const root = ROOT_MODULE.replace('{ provide: APP_GUARD, useClass: RoleGuard },', '');
    expect(await ofMethod(`@Roles({ roles: ['realm:a'] })`, '', root)).toEqual([TODO, `@RequirePermission('a')`]);
  });
});

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

describe('decorators outside of classes', () => {
  it('become the new ones in functions', async () => {
    const text = `${NEST}\nimport { Public } from 'nest-keycloak-connect';\nexport const Open = () => applyDecorators(Public());\n`;
    const result = await migrated(text, ROOT_MODULE, 'src/open.ts');
    expect(result).toContain(`import { Public } from 'nestjs-keycloak-s2s';`);
    expect(result).not.toContain('nest-keycloak-connect');
  });
});

import { describe, expect, it } from '@jest/globals';
import { controller, method, migratedClass, NO_GUARDS, TODO } from '../../../spec-support/migrated-classes.js';
import { ROOT_MODULE } from '../../../spec-support/migrated-project.js';

describe('a migrated class without an access decorator', () => {
  const plain = controller(method(''));

  it('gets @Authenticated() if AuthGuard was registered for the application', async () => {
    expect((await migratedClass(plain)).slice(0, 3)).toEqual([
      '@Controller()',
      '@Authenticated()',
      'export class Orders {',
    ]);
  });

  it('gets a comment instead of a decorator if the application does not register AuthGuard', async () => {
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

  it('gets @Authenticated() in place of @UseGuards(AuthGuard, RoleGuard)', async () => {
    const lines = await migratedClass(controller(method(''), '@UseGuards(AuthGuard, RoleGuard)'), NO_GUARDS);
    expect(lines.slice(0, 3)).toEqual(['@Controller()', '@Authenticated()', 'export class Orders {']);
  });

  it('keeps guards of the application in @UseGuards', async () => {
    const lines = await migratedClass(controller(method(''), '@UseGuards(AuthGuard, OwnGuard, RoleGuard)'), NO_GUARDS);
    expect(lines.slice(0, 3)).toEqual(['@Controller()', '@UseGuards(OwnGuard)', '@Authenticated()']);
  });

  it('gets @Authenticated() only on the method that has @UseGuards(AuthGuard)', async () => {
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
    ['a decorator of the application', `@Auth('admin')`, `import { Auth } from './auth';`],
    ['a decorator from a missing package', `@Auth('admin')`, `import { Auth } from '@company/auth';`],
    ['a member of a namespace', `@auth.Only('admin')`, `import * as auth from './auth';`],
    ['metadata', `@SetMetadata('roles', ['admin'])`, ''],
    ['composed decorators', '@applyDecorators(X)', ''],
  ])('gets @Authenticated() on all handlers except a handler with %s', async (_, decorator, imports) => {
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

  it('gets a comment on a method if an unknown decorator may make the method a route', async () => {
    const body = `${method('')}\n  @AdminGet('all')\n  all() {}`;
    const lines = await migratedClass(controller(body), undefined, `import { AdminGet } from './auth';`);
    expect(lines.slice(0, 4)).toEqual(['@Controller()', 'export class Orders {', '@Get()', '@Authenticated()']);
    expect(lines.slice(5)).toEqual([TODO, `@AdminGet('all')`, 'all() {}', '}']);
  });

  it('stays unchanged and gets a comment if the class has an unknown decorator', async () => {
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

  it('gets no decorator that would open inherited handlers', async () => {
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

  it('gets no decorator on message handlers, which stay closed', async () => {
    const imports = `import { MessagePattern } from '@nestjs/microservices';`;
    const lines = await migratedClass(controller(`  @MessagePattern('a')\n  read() {}`), undefined, imports);
    expect(lines).toEqual(['@Controller()', 'export class Orders {', TODO, `@MessagePattern('a')`, 'read() {}', '}']);
  });

  it('gets @Authenticated() if it is a GraphQL resolver', async () => {
    const resolver = `@Resolver()\nexport class Orders {\n  @Query()\n  read() {}\n}`;
    const lines = await migratedClass(resolver, undefined, `import { Query, Resolver } from '@nestjs/graphql';`);
    expect(lines.slice(0, 2)).toEqual(['@Resolver()', '@Authenticated()']);
  });
});

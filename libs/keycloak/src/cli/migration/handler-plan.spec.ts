import { describe, expect, it } from '@jest/globals';
import { controller, method, migratedClass, TODO } from '../../../spec-support/migrated-classes.js';
import { ROOT_MODULE } from '../../../spec-support/migrated-project.js';

async function ofMethod(decorators: string, classDecorators = '', root?: string): Promise<string[]> {
  const lines = await migratedClass(controller(method(decorators), classDecorators), root);
  return lines.slice(lines.indexOf('@Get()') + 1, lines.indexOf('read() {}'));
}

describe('the migrated decorators of a handler', () => {
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
    [`@Roles('realm:a', 'realm:b')`, `@RequireAnyPermission('a', 'b')`],
    [`@Roles({ roles: [] })`, `@Authenticated()`],
  ])('are replaced without a comment: %s → %s', async (before, after) => {
    expect(await ofMethod(before)).toEqual([after]);
  });

  it.each([
    ['roles in a constant', '@Roles({ roles: ROLES })'],
    ['roles in a variable', '@Roles({ roles: [role] })'],
    ['spread roles', `@Roles({ roles: [...ROLES, 'realm:a'] })`],
    ['spread options', '@Roles({ ...OPTIONS })'],
    ['a variable at @Public', '@Public(isOpen)'],
    ['an unclear mode', `@Roles({ roles: ['a', 'b'], mode })`],
    ['a name with two colons', `@Roles({ roles: ['realm:a:b'] })`],
    ['a constant scope', '@Scopes(SCOPE.toString())'],
  ])('stay unchanged, get a comment, and keep the route closed: %s', async (_, before) => {
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

  it('keep a constant as a role, and get a comment if the value of the constant is unknown', async () => {
    const roles = `@Roles({ roles: [Role.Admin, 'realm:b'] })`;
    const after = `@RequireAnyPermission(Role.Admin, 'realm:b')`;
    expect(await ofMethod(roles)).toEqual([TODO, after]);
    const lines = await migratedClass(controller(method(roles)), undefined, `enum Role { Admin = 'realm:a' }`);
    expect(lines).toEqual(['@Controller()', 'export class Orders {', '@Get()', after, 'read() {}', '}']);
  });

  it('stay unchanged and get a comment if two @Roles decorators contradict each other', async () => {
    const both = [`@Roles({ roles: ['realm:a'] })`, `@Roles({ roles: ['realm:b'] })`];
    expect(await ofMethod(both.join('\n'))).toEqual([TODO, ...both]);
  });

  it('demand the roles and get a comment if the handler has both @Public and @Roles', async () => {
    expect(await ofMethod(`@Public()\n@Roles({ roles: ['realm:a'] })`)).toEqual([TODO, `@RequirePermission('a')`]);
  });

  it('demand the roles of both class and method, as nest-keycloak-connect 1 did', async () => {
    const lines = await ofMethod(`@Roles({ roles: ['realm:b'] })`, `@Roles({ roles: ['realm:a'] })`);
    expect(lines).toEqual([TODO, `@RequirePermission('a')`, `@RequirePermission('b')`]);
  });

  it.each(['@RoleMatchingMode(RoleMatch.ALL)', ''])(
    'demand all roles of both class and method if one of both has RoleMatch.ALL, and the class has %j',
    async (mode) => {
      const ofOther = mode === '' ? '\n@RoleMatchingMode(RoleMatch.ALL)' : '';
      const lines = await ofMethod(`@Roles('realm:c', 'realm:d')${ofOther}`, `@Roles('realm:a', 'realm:b')\n${mode}`);
      expect(lines).toEqual([TODO, `@RequirePermission('a', 'b')`, `@RequirePermission('c', 'd')`]);
    },
  );

  it('stay unchanged, get a comment, and keep the route closed if only the class has the mode of the roles', async () => {
    const roles = `@Roles('realm:a', 'realm:b')`;
    const lines = await migratedClass(controller(method(roles), '@RoleMatchingMode(RoleMatch.ALL)'));
    expect(lines.slice(0, 3)).toEqual([TODO, '@Controller()', '@RoleMatchingMode(RoleMatch.ALL)']);
    expect(lines.slice(3)).toEqual(['export class Orders {', '@Get()', roles, 'read() {}', '}']);
  });

  it('are migrated if the class has the default mode of the roles', async () => {
    const lines = await ofMethod(`@Roles('realm:a', 'realm:b')`, '@RoleMatchingMode(RoleMatch.ANY)');
    expect(lines).toEqual([`@RequireAnyPermission('a', 'b')`]);
  });

  it('keep a route closed if the class has the roles and only the method has their mode', async () => {
    const mode = '@RoleMatchingMode(RoleMatch.ALL)';
    expect(await ofMethod(mode, `@Roles('realm:a', 'realm:b')`)).toEqual([TODO, mode]);
  });

  it('lose @Public if the class has roles, because RoleGuard refused every call', async () => {
    expect(await ofMethod('@Public()', `@Roles({ roles: ['realm:a'] })`)).toEqual([TODO]);
  });

  it('demand a permission instead of a UMA scope, and get a comment', async () => {
    expect(await ofMethod(`@Scopes('View')`, `@Resource('product')`)).toEqual([
      TODO,
      `@RequirePermission('product:View')`,
    ]);
  });

  it('keep a route closed if the route has no resource and policyEnforcement was ENFORCING', async () => {
    const root = ROOT_MODULE.replace(`secret: 's'`, `secret: 's', policyEnforcement: mode`);
    for (const before of ['@Public()', `@Roles({ roles: ['realm:a'] })`, '']) {
      const lines = await migratedClass(controller(method(before)), root);
      expect(lines.join('\n')).not.toMatch(/^@(Public|Authenticated|Optional|Require)/m);
      expect(lines).toContainEqual(TODO);
    }
  });

  it('get a comment if no RoleGuard checked the roles', async () => {
    const root = ROOT_MODULE.replace('{ provide: APP_GUARD, useClass: RoleGuard },', '');
    expect(await ofMethod(`@Roles({ roles: ['realm:a'] })`, '', root)).toEqual([TODO, `@RequirePermission('a')`]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { migrated, ROOT_MODULE } from '../../../spec-support/migrated-project.js';

const TODO = '// TODO(nestjs-keycloak-s2s): ';

describe('a use of nest-keycloak-connect that the command cannot replace', () => {
  it.each([
    ['re-exported names', `export { Roles } from 'nest-keycloak-connect';`],
    ['everything re-exported', `export * from 'nest-keycloak-connect';`],
    ['a required package', `const connect = require('nest-keycloak-connect');`],
    ['an imported package', `const connect = import('nest-keycloak-connect');`],
    ['a mocked package', `jest.mock('nest-keycloak-connect');`],
  ])('gets a comment for %s', async (_, text) => {
    const [comment = '', line] = (await migrated(`${text}\n`)).split('\n');
    expect(comment).toMatch(/^\/\/ TODO\(nestjs-keycloak-s2s\): .+[.]$/);
    expect(line).toBe(text);
  });

  it.each([
    ['a guard that extends AuthGuard', 'AuthGuard', 'export class OwnGuard extends AuthGuard {}'],
    ['an injected instance', 'KEYCLOAK_INSTANCE', 'export const token = KEYCLOAK_INSTANCE;'],
    ['a type', 'KeycloakConnectModuleAsyncOptions', 'export let options: KeycloakConnectModuleAsyncOptions;'],
    ['a namespace', '* as connect', 'export const guard = connect.AuthGuard;'],
    ['composed decorators', 'Roles', 'export const Only = (...roles) => applyDecorators(Roles({ roles }));'],
  ])('keeps the import, and gets a comment for %s', async (_, name, use) => {
    const names = name.startsWith('*') ? name : `{ ${name} }`;
    const text = `import ${names} from 'nest-keycloak-connect';\n\n${use}\n`;
    const lines = (await migrated(text, ROOT_MODULE, 'src/guard.ts')).split('\n');
    expect(lines).toEqual([
      `import ${names} from 'nest-keycloak-connect';`,
      '',
      expect.stringContaining(TODO),
      use,
      '',
    ]);
  });

  it('gets a comment if it is a mocked guard in a spec', async () => {
    const text = `import { AuthGuard } from 'nest-keycloak-connect';
const module = Test.createTestingModule({})
  .overrideGuard(AuthGuard)
  .useValue({ canActivate: () => true });
`;
    const result = await migrated(text, ROOT_MODULE, 'src/orders.spec.ts');
    expect(result).toContain(`\n${TODO}replace this mock by`);
    expect(
      result
        .split('\n')
        .filter((line) => !line.includes(TODO))
        .join('\n'),
    ).toBe(text);
  });

  it('gets a comment if a handler or guard reads request.user', async () => {
    const text = `import { Controller, Get, Req } from '@nestjs/common';

@Controller()
export class Orders {
  @Get()
  read(@Req() req: any) {
    return req.user.sub;
  }
}
export class OwnGuard {
  canActivate(context: any) {
    const { user } = context.user;
    const request = context.switchToHttp().getRequest();
    return request.user.isAdmin;
  }
}
`;
    const lines = (await migrated(text)).split('\n').map((line) => line.trim());
    const marked = lines.filter((_, at) => lines[at - 1]?.startsWith(TODO));
    expect(marked).toEqual(['return req.user.sub;', 'return request.user.isAdmin;']);
  });
});

describe('the imports of a migrated file', () => {
  it('keep names, quotes, comments and line breaks in imports of other packages', async () => {
    const text = [
      '// first line',
      'import { Controller, Get, UseGuards } from "@nestjs/common"; // Nest',
      'import { AuthGuard, Roles as Only } from "nest-keycloak-connect";',
      '/* own */ import { other } from "./other";',
      '',
      '@Controller()',
      '@UseGuards(AuthGuard)',
      'export class Orders {',
      '\t@Get() @Only({ roles: ["realm:a"] }) // comment',
      '\tread() { return other; }',
      '}',
    ].join('\r\n');
    expect(await migrated(text)).toBe(
      [
        '// first line',
        'import { Controller, Get } from "@nestjs/common"; // Nest',
        'import { RequirePermission } from "nestjs-keycloak-s2s";',
        '/* own */ import { other } from "./other";',
        '',
        '@Controller()',
        'export class Orders {',
        '\t@Get() @RequirePermission("a") // comment',
        '\tread() { return other; }',
        '}',
      ].join('\r\n'),
    );
  });

  it('give an alias to a name of the new package if the name is already in use', async () => {
    const text = `import { Controller, Get } from '@nestjs/common';
import { KeycloakStatus } from 'nestjs-keycloak-s2s';
import { Public as Open } from 'nest-keycloak-connect';
import { Public } from './public';

@Controller()
export class Orders {
  @Get()
  @Open()
  read(status: KeycloakStatus, value: typeof Public) {}
}
`;
    const result = await migrated(text);
    expect(result).toContain(`import { KeycloakStatus, Public as S2sPublic } from 'nestjs-keycloak-s2s';`);
    expect(result).toContain('  @S2sPublic()\n');
    expect(result).not.toContain('nest-keycloak-connect');
  });
});

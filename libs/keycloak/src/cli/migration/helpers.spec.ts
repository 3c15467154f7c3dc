import { describe, expect, it } from '@jest/globals';
import { controller, method } from '../../../spec-support/migrated-classes.js';
import { migrated, MigratedProject, ROOT_MODULE } from '../../../spec-support/migrated-project.js';

const TODO_LINE = '// TODO\\(nestjs-keycloak-s2s\\): [^\\n]+[.]\\n';

async function withFree(helper: string, body: string): Promise<string> {
  const imports = `import { applyDecorators, Controller, Get, SetMetadata } from '@nestjs/common';
import { Public, Public as Open, Roles, Unprotected } from 'nest-keycloak-connect';
import * as connect from 'nest-keycloak-connect';`;
  return migrated(`${imports}\n\n${helper}\n\n${body}\n`);
}

describe('@Public() in a helper of the application', () => {
  it.each([
    ['composed decorators', 'const Free = () => applyDecorators(Public());'],
    ['optional tokens', 'const Free = () => applyDecorators(Unprotected(false));'],
    ['a member of a namespace', 'const Free = () => connect.Public();'],
    ['another name', 'const Free = Open;'],
    ['a condition', 'const Free = () => (isOpen ? Unprotected() : Roles(old));'],
    ['a spread list', 'const all = [Public()];\nconst Free = () => applyDecorators(...all);'],
    ['a bound function', 'const Free = Public.bind(undefined, true);'],
  ])('stays unchanged and opens no route: %s', async (_, helper) => {
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

  it('keeps its import, so the new decorator is imported by another name', async () => {
    const body = `@Controller()\nclass A {\n  @Public()\n  @Get()\n  read() {}\n}`;
    const text = await withFree('const Both = () => applyDecorators(Public(), Roles(old));', body);
    expect(text).toContain('applyDecorators(Public(), Roles(old))');
    expect(text).toContain(`import { Public as S2sPublic } from 'nestjs-keycloak-s2s';`);
    expect(text).toContain('  @S2sPublic()\n  @Get()\n');
  });
});

describe('a decorator from another file of the application', () => {
  const AUTH = `import { readFileSync } from 'node:fs';
import { ApiTags } from '@nestjs/swagger';
import names from './names.json';
`;
  it.each([
    ['imports a file outside of the given folders', `${AUTH}import { Only } from '../libs/only';`, false],
    ['requires a file outside of the given folders', `${AUTH}const { Only } = require('../libs/only');`, false],
    ['exports a missing package', `${AUTH}export * from '@company/only';`, false],
    ['imports only Node.js, Nest and JSON', AUTH, true],
  ])('opens its route only if the command knows all imports of the file: it %s', async (_, auth, isOpen) => {
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

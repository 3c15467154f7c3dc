import { describe, expect, it } from '@jest/globals';
import { migrated, MigratedProject, ROOT_MODULE } from '../../../spec-support/migrated-project.js';

const IMPORTS = `import { Controller, Get } from '@nestjs/common';
import { Public, Roles } from 'nest-keycloak-connect';
import { Unread } from '../libs/unread';
`;
const ROLES = `@Roles({ roles: ['realm:clerk'] })`;
const GRANTS = /@(Public|Authenticated|OptionalToken|RequirePermission)\(/;

describe('handlers of a migrated class', () => {
  it.each([
    ['@Public() in its base class', `class Base { @Public() @Get('x') x() {} }\n`],
    ['@Public() on its base class', `@Public()\nclass Base { @Get('x') x() {} }\n`],
    ['a controller as its base class', `@Controller()\nclass Base { @Get('x') x() {} }\n`],
    ['@Public() two classes above', `@Public()\nclass Top {}\nclass Base extends Top { @Get('x') x() {} }\n`],
    ['a mixin', `function Base() { class Inner { @Public() @Get('x') x() {} } return Inner; }\n`],
  ])('that has roles stay closed despite %s', async (_, base) => {
    const heritage = base.startsWith('function') ? 'Base()' : 'Base';
    const text = await migrated(`${IMPORTS}\n${base}\n@Controller()\n${ROLES}\nclass A extends ${heritage} {}\n`);
    expect(text).not.toMatch(GRANTS);
    expect(text).toContain('the handlers stay closed until then.');
  });

  it.each([
    ['has roles', `${ROLES}\nclass Base {}`, 'Base'],
    ['inherits roles', `${ROLES}\nclass Top {}\nclass Base extends Top {}`, 'Base'],
    ['is in a file outside of the given folders', '', 'Unread'],
  ])('stay closed if the base class %s', async (_, base, name) => {
    const body = `{\n  @Public()\n  @Get('x')\n  x() {}\n  @Get('y')\n  y() {}\n}`;
    const text = await migrated(`${IMPORTS}\n${base}\n@Controller()\nclass A extends ${name} ${body}\n`);
    expect(text.slice(text.indexOf('@Controller()'))).not.toMatch(GRANTS);
    expect(text).toContain('the handlers stay closed until then.');
  });

  it('stay closed if the base class has roles and is exported by another name', async () => {
    const base = `import { Roles } from 'nest-keycloak-connect';\n@Roles({ roles: ['realm:a'] })\nclass Base {}\nexport { Base as Other };\n`;
    const project = new MigratedProject({
      'src/base.ts': base,
      'src/app.module.ts': ROOT_MODULE,
      'src/a.ts': `import { Controller, Get } from '@nestjs/common';\nimport { Public } from 'nest-keycloak-connect';\nimport { Other } from './base';\n@Controller()\nclass A extends Other {\n  @Public()\n  @Get()\n  x() {}\n}\n`,
    });
    await project.run('--write', 'src');
    expect(project.read('src/a.ts')).not.toMatch(GRANTS);
    project.remove();
  });

  it('keep the @Public() of the base class if neither class has roles', async () => {
    const base = `class Base {\n  @Public()\n  @Get('x')\n  x() {}\n}`;
    const text = await migrated(`${IMPORTS}\n${base}\n@Controller()\nclass A extends Base {}\n`);
    expect(text).toContain(`  @Public()\n  @Get('x')`);
  });
});

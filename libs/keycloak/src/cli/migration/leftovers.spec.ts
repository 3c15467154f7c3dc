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
});

const HANDLERS = `import { Body, Controller, createParamDecorator, Get, Req } from '@nestjs/common';
import { Context } from '@nestjs/graphql';

`;

/** Returns the lines that have a comment above. */
async function markedLines(text: string): Promise<string[]> {
  const lines = (await migrated(HANDLERS + text)).split('\n').map((line) => line.trim());
  return lines.filter((_, at) => lines[at - 1]?.startsWith(TODO));
}

describe('a read of request.user', () => {
  it.each([
    ['of @Req()', 'read(@Req() req: any)', 'return req.user.sub;'],
    ['of @Req() with a cast', 'read(@Req() req: any)', 'return (req as any)?.user;'],
    ['of @Req() by element access', 'read(@Req() req: any)', "return req['user'];"],
    ['of @Req() by a pattern', 'read(@Req() req: any)', 'const { user: caller } = req;'],
    ['of @Req() in a callback', 'read(@Req() req: any)', 'return [1].map(() => req.user);'],
    [`of @Context('req')`, `read(@Context('req') message: any)`, 'return message.user;'],
    ['of the context of GraphQL', 'read(@Context() context: any)', 'return context.req.user;'],
    ['of a part of a pattern', 'read(@Context() { req }: any)', 'return req.user;'],
    ['of getRequest()', 'read(context: any)', 'const { user } = context.switchToHttp().getRequest();'],
    ['of a nested pattern', 'read(context: any)', 'const { req: { user } } = context.getContext();'],
    ['of one of two requests', 'read(context: any)', 'return (isHttp ? context.getRequest() : context.req).user;'],
  ])('gets a comment: %s', async (_, head, line) => {
    const text = `@Controller()\nexport class Orders {\n  @Get()\n  ${head} {\n    ${line}\n  }\n}\n`;
    expect(await markedLines(text)).toEqual([line]);
  });

  it.each([
    ['a guard', 'export class Own {\n canActivate(context: any) {\n', '\n }\n}'],
    ['an interceptor', 'export class Own {\n intercept(context: any) {\n', '\n }\n}'],
    ['a helper method of a guard', 'export class Own {\n canActivate = helper;\n helper(request: any) {\n', '\n }\n}'],
    ['a parameter decorator', 'export const Own = createParamDecorator((_, context) => {\n', '\n});'],
  ])('gets a comment in %s, no matter where the request comes from', async (_, before, after) => {
    const reads = ['const { user } = requestOf(context);', 'return of(1).pipe(map(() => owner.user));'];
    expect(await markedLines(`${before}${reads.join('\n')}${after}\n`)).toEqual(reads);
  });

  it('gets a comment at the pattern of a parameter', async () => {
    const text = `@Controller()\nexport class Orders {\n  @Get() read(@Req() { user }: any) {}\n}\n`;
    expect(await markedLines(text)).toEqual(['@Get() read(@Req() { user }: any) {}']);
  });

  it('gets no comment if only the value of a request finds the object', async () => {
    const line = 'const order = await this.orders.find(this.request.params.id); return order.user;';
    expect(await markedLines(`export class Orders {\n  async read() {\n    ${line}\n  }\n}\n`)).toEqual([]);
  });

  it('gets no comment if the object is not a request', async () => {
    const text = `export class Orders {
  read(@Body() request: any, context: any) {
    const { user } = context.user;
    return [this.user, request.user, context.request(user).user, users[user]];
  }
}
`;
    expect(await markedLines(text)).toEqual([]);
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

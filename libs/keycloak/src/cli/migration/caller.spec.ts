import { describe, expect, it } from '@jest/globals';
import { migrated } from '../../../spec-support/migrated-project.js';

const IMPORTS = `import { Controller, Get } from '@nestjs/common';
import { AccessToken, AuthenticatedUser, KeycloakUser, Public } from 'nest-keycloak-connect';`;

async function method(text: string, decorators = ''): Promise<string> {
  const lines = await controller(text, decorators);
  return lines
    .slice(lines.indexOf('@Get()') + 1)
    .filter((line) => line !== '')
    .join('\n');
}

async function controller(text: string, decorators = ''): Promise<string[]> {
  const source = `${IMPORTS}\n@Controller()\nexport class Orders {\n  @Get()\n  ${decorators}\n  ${text}\n}\n`;
  return (await migrated(source))
    .split('\n')
    .map((line) => line.trim())
    .slice(0, -2);
}

const claims = (body: string): string => `read(@AuthenticatedUser() user: any) { ${body} }`;
const token = (body: string): string => `read(@Caller() user: VerifiedAccessToken) { ${body} }`;

describe('a migrated parameter with @AuthenticatedUser()', () => {
  it.each([
    ['return user.sub;', 'return user.subject;'],
    ['return user.preferred_username;', 'return user.username;'],
    ['return { of: user.email };', 'return { of: user.email };'],
    ['return this.find(user.email);', 'return this.find(user.email as string);'],
    ['return this.find(user.sub);', 'return this.find(user.subject);'],
    ['return user.realm_access.roles;', 'return user.realmRoles;'],
    ['return user.realm_access?.roles;', 'return user.realmRoles;'],
    ['return user.given_name;', 'return (user.claims as any).given_name;'],
    ['return user?.given_name;', 'return (user?.claims as any)?.given_name;'],
    ['return user.resource_access[id].roles;', 'return (user.claims as any).resource_access[id].roles;'],
    ["return user['given_name'];", "return (user.claims as any)['given_name'];"],
    ['return this.find(user);', 'return this.find(user.claims);'],
    ['return { user };', 'return { user: user.claims };'],
    ['return { ...user };', 'return { ...user.claims };'],
    ['if (user) return user.sub;', 'if (user) return user.subject;'],
    ['return user && other.user;', 'return user && other.user;'],
    ['return all.map((user) => user.sub);', 'return all.map((user) => user.sub);'],
    ['{ const user = this.me; return user.sub; }', '{ const user = this.me; return user.sub; }'],
    ['return `${user.sub} user`;', 'return `${user.subject} user`;'],
  ])('becomes a parameter with the verified token, and the body is adapted: %s', async (before, after) => {
    expect(await method(claims(before))).toBe(token(after));
  });

  it('casts the claims of the token to the declared type of the parameter', async () => {
    const text = await method(
      'read(@AuthenticatedUser() user: Person, id: string) { return this.find(user, user.sub); }',
    );
    const person = 'user.claims as unknown as Person';
    expect(text).toBe(
      `read(@Caller() user: VerifiedAccessToken, id: string) { return this.find(${person}, (${person}).sub); }`,
    );
  });

  it('needs no cast if the parameter has the type unknown', async () => {
    const text = await method('read(@AuthenticatedUser() user: unknown) { if (is(user)) return user.given_name; }');
    expect(text).toBe(token('if (is(user.claims)) return user.claims.given_name;'));
  });

  it('becomes an optional parameter if the handler accepts calls without a token', async () => {
    const text = await method('read(@AuthenticatedUser() user: any) { return user.sub; }', '@Public(false)');
    expect(text).toBe('@OptionalToken()\nread(@Caller() user?: VerifiedAccessToken) { return user?.subject; }');
  });

  it('gets a type with undefined, instead of a question mark, if a required parameter follows', async () => {
    const text = await method('read(@AuthenticatedUser() user: any, id: string) { return user; }', '@Public(false)');
    expect(text).toContain('@Caller() user: VerifiedAccessToken | undefined, id: string');
    expect(text).toContain('return user?.claims;');
  });

  it('turns @Public() of the handler into @OptionalToken(), and adds a comment for version 1', async () => {
    const before = 'read(@AuthenticatedUser() user: any) {}';
    expect(await method(before, '@Public()')).toMatch(/^\/\/ TODO[^\n]+\n@OptionalToken\(\)\n/);
    expect(await method(before.replace('AuthenticatedUser', 'KeycloakUser'), '@Public()')).toMatch(
      /^@OptionalToken\(\)\n/,
    );
  });

  it.each(['read(@AuthenticatedUser() { sub }: any) {}', 'read(@AuthenticatedUser(new Pipe()) user: any) {}'])(
    'stays unchanged and gets a comment in %s',
    async (before) => {
      const comment = expect.stringContaining('TODO');
      expect(await controller(before)).toEqual(expect.arrayContaining([comment, '@Get()', before]));
    },
  );
});

describe('a migrated parameter with @AccessToken()', () => {
  it('is removed if the handler does not use the parameter', async () => {
    expect(await method('read(@AccessToken() token: string, id: string) {}')).toBe('read(id: string) {}');
    expect(await method('read(id: string, @AccessToken() token: string) {}')).toBe('read(id: string) {}');
    expect(await method('read(@AccessToken() token: string) {}')).toBe('read() {}');
  });

  it('keeps its decorator and gets a comment if the handler uses the parameter', async () => {
    const before = 'read(@AccessToken() token: string) { return token; }';
    const comment = expect.stringMatching(/^\/\/ TODO[^\n]+onBehalfOf/);
    expect(await controller(before)).toEqual(expect.arrayContaining([comment, '@Get()', before]));
  });
});

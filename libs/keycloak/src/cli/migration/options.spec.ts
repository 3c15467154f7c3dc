import { describe, expect, it } from '@jest/globals';
import { migrated, MigratedProject, ROOT_MODULE } from '../../../spec-support/migrated-project.js';

const CONTROLLER = (roles: string): string => `import { Controller, Get } from '@nestjs/common';
import { Roles } from 'nest-keycloak-connect';
@Controller()
export class Orders {
  @Get()
  ${roles}
  read() {}
}
`;

async function optionsFor(given: string, controller = ''): Promise<string[]> {
  const module = ROOT_MODULE.replace(/register\([^)]*\)/, () => `register({\n${given}\n})`);
  const text =
    controller === '' ? await migrated(module, ROOT_MODULE, 'src/app.module.ts') : await besides(module, controller);
  const [, options = ''] = /forRoot\(\{\n([\s\S]*?)\n\}\)/.exec(text) ?? [];
  return options.split('\n').map((line) => line.trim());
}

async function besides(module: string, controller: string): Promise<string> {
  const project = new MigratedProject({ 'src/app.module.ts': module, 'src/orders.controller.ts': controller });
  try {
    await project.run('--write', 'src');
    return project.read('src/app.module.ts');
  } finally {
    project.remove();
  }
}

const TODO = expect.stringMatching(/^\/\/ TODO\(nestjs-keycloak-s2s\): .+[.]$/);

describe('the migrated options of KeycloakConnectModule', () => {
  it.each([
    [`authServerUrl: 'https://id/',\nrealm: 'shop',`, [`issuer: 'https://id/realms/shop',`]],
    [`serverUrl: URL,\nrealm: REALM,`, ['issuer: `${URL}/realms/${REALM}`,']],
    ["'auth-server-url': `${HOST}/auth`,\nrealm,", ['issuer: `${HOST}/auth/realms/${realm}`,']],
    [`clientId: 'orders',`, [`clientId: 'orders',`]],
    [`resource: 'orders',`, [`clientId: 'orders',`]],
    ['clientId,', ['clientId,']],
    ['clientId: process.env.CLIENT_ID,', [`clientId: process.env.CLIENT_ID ?? '',`]],
    [`clientId: config.get<string>('id'),`, [`clientId: config.get<string>('id') ?? '',`]],
    ['secret,', ['clientSecret: secret,']],
    ['credentials: { secret: SECRET },', ['clientSecret: SECRET,']],
    ['secret: SECRET, // comment\nlogLevels: [],', ['clientSecret: SECRET, // comment']],
    ['tokenValidation: TokenValidation.ONLINE,\nclientId,', ['clientId,']],
    ['policyEnforcement: PolicyEnforcementMode.PERMISSIVE,\nclientId,', ['clientId,']],
    ['bearerOnly: true,\nroleMerge: RoleMerge.ALL,\nclientId,', ['clientId,']],
  ])('are converted: %j → %j', async (before, after) => {
    expect((await optionsFor(before)).filter((line) => !line.startsWith('// TODO'))).toEqual(after);
  });

  it.each([
    [`authServerUrl: 'http://localhost:8080',\nrealm: 'shop',`, [TODO, `issuer: 'http://localhost:8080/realms/shop',`]],
    ['tokenValidation: TokenValidation.OFFLINE,', [TODO, `verification: 'jwt',`, 'jwt: jwtVerification(),']],
    ['tokenValidation: TokenValidation.NONE,', [TODO]],
    ['tokenValidation: mode,', [TODO]],
    [`cookieKey: 'K',`, [TODO]],
    ['multiTenant: { realmResolver },', [TODO]],
    ['public: true,', [TODO]],
    ['...OTHERS,', [TODO, '...OTHERS,']],
  ])('get a comment for %j', async (before, after) => {
    const issuer = before.startsWith('auth') ? '' : `authServerUrl: 'https://id',\nrealm: 'shop',\n`;
    const expected = issuer === '' ? after : [`issuer: 'https://id/realms/shop',`, ...after];
    expect(await optionsFor(issuer + before)).toEqual(expected);
  });

  it('import jwtVerification for TokenValidation.OFFLINE', async () => {
    const module = ROOT_MODULE.replace(`secret: 's'`, `secret: 's', tokenValidation: TokenValidation.OFFLINE`);
    expect(await migrated(module, module, 'src/app.module.ts')).toContain(
      `import { jwtVerification } from 'nestjs-keycloak-s2s/jwt';`,
    );
  });

  it.each([
    [`@Roles({ roles: ['realm:a'] })`, ['mapPermissions: realmRoles,']],
    [`@Roles({ roles: ['a'] })`, ['mapPermissions: (claims) => clientRoles(claims, ID),']],
    [
      `@Roles({ roles: ['a', 'realm:b', 'other:c'] })`,
      [
        'mapPermissions: (claims) => [',
        '...realmRoles(claims).map((role) => `realm:${role}`),',
        `...clientRoles(claims, ID).filter((role) => !role.includes(':')),`,
        "...clientRoles(claims, 'other').map((role) => `other:${role}`),",
        '],',
      ],
    ],
  ])('get a mapPermissions function for %s', async (roles, expected) => {
    expect(await optionsFor('clientId: ID,', CONTROLLER(roles))).toEqual([TODO, 'clientId: ID,', ...expected].slice(1));
  });

  it.each([
    ['the object', `clientId: 'a', secret }`, `clientSecret: secret, mapPermissions: realmRoles }`],
    ['an outer object', `clientId: 'a', secret, ...{\n} }`, `clientSecret: secret, mapPermissions: realmRoles, ...{`],
  ])('are valid if %s ends or begins on the line of the last known option', async (_, before, after) => {
    const module = ROOT_MODULE.replace(/register\([^)]*\)/, () => `register({\n${before})`);
    expect(await besides(module, CONTROLLER(`@Roles({ roles: ['realm:a'] })`))).toContain(after);
  });

  it('get the GraphQL request adapter if the application has resolvers', async () => {
    const resolver = `import { Resolver } from '@nestjs/graphql';\n@Resolver()\nexport class Orders {}\n`;
    expect(await optionsFor('clientId: ID,', resolver)).toContain('requestAdapters: [graphqlRequestAdapter()],');
  });
});

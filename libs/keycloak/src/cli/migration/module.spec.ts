import { describe, expect, it } from '@jest/globals';
import { migrated, MigratedProject, ROOT_MODULE } from '../../../spec-support/migrated-project.js';

const migratedModule = (text: string): Promise<string> => migrated(text, text, 'src/app.module.ts');
const registered = (call: string): string =>
  ROOT_MODULE.replace(/KeycloakConnectModule[.]register\([^)]*\)/, () => call);

describe('the migrated root module', () => {
  it('loses the three guards of nest-keycloak-connect, and keeps all other providers', async () => {
    const text = await migratedModule(
      ROOT_MODULE.replace(
        '{ provide: APP_GUARD, useClass: ResourceGuard },',
        '// limits calls\n    { provide: APP_GUARD, useClass: ThrottlerGuard },\n    ResourceGuard, // old\n    Orders,',
      ),
    );
    expect(text).toContain(`  providers: [
    // limits calls
    { provide: APP_GUARD, useClass: ThrottlerGuard },
    // old
    Orders,
  ],`);
    expect(text).toContain(`import { APP_GUARD } from '@nestjs/core';`);
  });

  it('gets forRootAsync if a factory creates the options', async () => {
    const text = await migratedModule(
      registered(`KeycloakConnectModule.registerAsync({
      inject: [ConfigService],
      useFactory: async (config: ConfigService) => {
        const url = config.getOrThrow('URL');
        return { authServerUrl: url, realm: 'shop', clientId: 'a', secret: config.get('SECRET') };
      },
    })`),
    );
    expect(text).toContain('KeycloakModule.forRootAsync({');
    expect(text).toContain(
      "return { issuer: `${url}/realms/shop`, clientId: 'a', clientSecret: config.get('SECRET') ?? '' };",
    );
    expect(text).not.toContain('TODO');
  });

  it('keeps useClass, and the class then creates the new options', async () => {
    const text = await migratedModule(
      `${registered('KeycloakConnectModule.registerAsync({ useClass: Options })')}
import { KeycloakConnectOptionsFactory, KeycloakConnectOptions } from 'nest-keycloak-connect';
export class Options implements OnModuleInit, KeycloakConnectOptionsFactory {
  createKeycloakConnectOptions(): KeycloakConnectOptions {
    return { authServerUrl: URL, realm: 'shop', clientId: 'a', secret: 's' };
  }
}
`,
    );
    expect(text).toContain('KeycloakModule.forRootAsync({ useClass: Options })');
    expect(text).toContain('class Options implements OnModuleInit, KeycloakOptionsFactory {');
    expect(text).toContain('createKeycloakOptions(): KeycloakModuleOptions {');
    expect(text).toContain("return { issuer: `${URL}/realms/shop`, clientId: 'a', clientSecret: 's' };");
    expect(text).not.toContain('nest-keycloak-connect');
  });

  it.each([
    `KeycloakConnectModule.register('./keycloak.json')`,
    'KeycloakConnectModule.register(optionsOf(process.env))',
    'KeycloakConnectModule.registerAsync(OPTIONS)',
    'KeycloakConnectModule.registerAsync({ useFactory: createOptions })',
  ])('gets a comment if the command does not see the options: %s', async (call) => {
    const text = await migratedModule(registered(call));
    expect(text).toMatch(/\/\/ TODO\(nestjs-keycloak-s2s\): [^\n]+\n[^\n]+KeycloakModule[.]forRoot/);
    expect(text).not.toContain('KeycloakConnectModule');
  });

  it('imports a constant with options from another file, and the command converts the constant', async () => {
    const root = registered('KeycloakConnectModule.register(options)').replace(
      '@Module',
      `import { options } from './options';\n\n@Module`,
    );
    const options = `import { KeycloakConnectOptions } from 'nest-keycloak-connect';

export const options: KeycloakConnectOptions = { authServerUrl: URL, realm: 'shop', clientId: 'a', secret: 's' };
`;
    expect(await migrated(options, root, 'src/options.ts'))
      .toBe(`import type { KeycloakModuleOptions } from 'nestjs-keycloak-s2s';

export const options: KeycloakModuleOptions = { issuer: \`\${URL}/realms/shop\`, clientId: 'a', clientSecret: 's' };
`);
    const project = new MigratedProject({ 'src/app.module.ts': root, 'src/options.ts': options });
    expect(await project.run('--write', 'src')).toMatchObject({ exitCode: 0 });
    project.remove();
  });

  it('is converted if it uses an alias, a namespace, or a constant with the options', async () => {
    const text = await migratedModule(`import { Module } from "@nestjs/common"
import * as connect from "nest-keycloak-connect"
import { KeycloakConnectModule as Connect } from "nest-keycloak-connect"

const options = { authServerUrl: "https://id", realm: "shop", clientId: "a", secret: "s" }

@Module({ imports: [Connect.register(options)], exports: [connect.KeycloakConnectModule] })
export class AppModule {}
`);
    expect(text).toBe(`import { Module } from "@nestjs/common"
import { KeycloakModule } from "nestjs-keycloak-s2s"

const options = { issuer: "https://id/realms/shop", clientId: "a", clientSecret: "s" }

@Module({ imports: [KeycloakModule.forRoot(options)], exports: [] })
export class AppModule {}
`);
  });

  it('imports the new module by another name if the application has a KeycloakModule', async () => {
    const text = await migratedModule(
      ROOT_MODULE.replace('@Module', `import { KeycloakModule } from './keycloak';\n\n@Module`),
    );
    expect(text).toContain(`import { KeycloakModule as S2sKeycloakModule } from 'nestjs-keycloak-s2s';`);
    expect(text).toContain('S2sKeycloakModule.forRoot(');
  });
});

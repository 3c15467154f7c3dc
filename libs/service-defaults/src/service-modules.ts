import type { DynamicModule, Type } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { KeycloakModule, type ServiceScopes } from 'nestjs-keycloak-s2s';
import type { ServiceConfig } from './service-config.js';
import { ServiceDefaultsModule } from './service-defaults.module.js';
import type { ServiceSettings } from './service-settings.js';
import { audienceOf, moduleOptionsOf } from './several-issuers.js';

/** The root module must import these modules first, so that the token guard runs first. */
export function serviceModules(config: ServiceConfig): (Type | DynamicModule | Promise<DynamicModule>)[] {
  const { KEY, description } = config;
  const clients = KeycloakModule.forFeature(
    Object.entries(description.calls).map(([name, scopes]) => ({
      name,
      inject: [KEY],
      useFactory: ({ urls, servicesTls, demoMode, ...settings }: ServiceSettings<string>) => ({
        baseUrl: urls[name] ?? '',
        audience: audienceOf(name, settings),
        tls: servicesTls,
        scopes: demoMode ? both(scopes, description.demo?.calls?.[name]) : scopes,
      }),
    })),
  );
  return [
    ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [config] }),
    KeycloakModule.forRootAsync({
      inject: [KEY],
      useFactory: moduleOptionsOf,
    }),
    { ...clients, global: true },
    ServiceDefaultsModule.register(config),
  ];
}

const both = (some: ServiceScopes, more: ServiceScopes = {}): ServiceScopes => ({
  asService: [...(some.asService ?? []), ...(more.asService ?? [])],
  onBehalfOf: [...(some.onBehalfOf ?? []), ...(more.onBehalfOf ?? [])],
});

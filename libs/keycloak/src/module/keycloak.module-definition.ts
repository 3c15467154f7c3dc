import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { AnyModuleOptions } from '../options/keycloak.options.js';

/** If an injection token is missing, Nest's error message quotes this suffix. */
const PROVIDED = 'provided by KeycloakModule.forRoot() or forRootAsync() in the root module';

export const RESOLVED_OPTIONS = Symbol(`nestjs-keycloak-s2s:resolved-options, ${PROVIDED}`);

export const KEYCLOAK = Symbol(`nestjs-keycloak-s2s:keycloak, ${PROVIDED}`);

export const SHARED_STATE = Symbol('nestjs-keycloak-s2s:shared-state');

/**
 * A class for `forRootAsync({ useClass })` and `forRootAsync({ useExisting })`. With `useClass`, the module creates the
 * class once, and injects its dependencies from `imports`.
 */
export interface KeycloakOptionsFactory {
  createKeycloakOptions(): AnyModuleOptions | Promise<AnyModuleOptions>;
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<AnyModuleOptions>({ moduleName: 'Keycloak' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createKeycloakOptions')
    .setExtras({}, (definition) => ({ ...definition, global: true }))
    .build();

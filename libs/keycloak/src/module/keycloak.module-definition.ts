/** The configurable part of KeycloakModule: forRoot, forRootAsync and the injection tokens that its files share. */
import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { AnyModuleOptions } from '../options/keycloak.options.js';

/** Nest quotes the description of what it can't find. */
const PROVIDED = 'provided by KeycloakModule.forRoot() or forRootAsync() in the root module';

/** The injection token of the options once they are checked and filled in: `ResolvedKeycloakOptions`. */
export const RESOLVED_OPTIONS = Symbol(`nestjs-keycloak-s2s:resolved-options, ${PROVIDED}`);

/** The injection token of all parts, as they were composed: `ComposedKeycloak`. */
export const KEYCLOAK = Symbol(`nestjs-keycloak-s2s:keycloak, ${PROVIDED}`);

/** The injection token of what reads and fills the channel of denials. */
export const SHARED_STATE = Symbol('nestjs-keycloak-s2s:revocation-sharing');

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<AnyModuleOptions>({ moduleName: 'Keycloak' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createKeycloakOptions')
    .setExtras({}, (definition) => ({ ...definition, global: true }))
    .build();

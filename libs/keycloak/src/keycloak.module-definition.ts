/** The configurable part of KeycloakModule: forRoot, forRootAsync and the injection token of the options. */
import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { KeycloakModuleOptions } from './keycloak.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<KeycloakModuleOptions>({ moduleName: 'Keycloak' })
    .setClassMethodName('forRoot')
    .setExtras({}, (definition) => ({ ...definition, global: true }))
    .build();

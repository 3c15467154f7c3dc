export { bootstrap } from './bootstrap.js';
export { createService, equipService, serviceAdapter } from './create-service.js';
export { needsNoDns } from './known-hosts.js';
export { ServiceDefaultsModule } from './service-defaults.module.js';
export { serviceModules } from './service-modules.js';
export { securityHeaders } from './security-headers.js';
export { serviceConfig } from './service-config.js';
export { readServiceSettings } from './service-settings.js';
export { SettingsError } from './variables.js';

export type { DemoSettings } from './demo-settings.js';
export type { LoginSettings } from './login-settings.js';
export type { ServiceConfig } from './service-config.js';
export type { ServiceModule } from './service-module.js';
export type { LoginServiceSettings, PollerSettings, ServiceDescription, ServiceSettings } from './service-settings.js';
export type { Environment } from './variables.js';
export type { Whoami } from './whoami.controller.js';

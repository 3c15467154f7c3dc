/** The door of service-defaults: what the services of this repository share. */
export { bootstrap } from './bootstrap.js';
export { createService, serviceAdapter } from './create-service.js';
export { ServiceDefaultsModule } from './service-defaults.module.js';
export { readServiceSettings, SettingsError } from './service-settings.js';

export type { Environment, ServiceDescription, ServiceSettings } from './service-settings.js';
export type { Whoami } from './whoami.controller.js';

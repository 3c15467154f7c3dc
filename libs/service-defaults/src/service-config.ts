/** Service config: no other file reads the environment. */
import { registerAs } from '@nestjs/config';
import {
  readServiceSettings,
  type LoginServiceSettings,
  type PollerSettings,
  type ServiceDescription,
  type ServiceSettings,
} from './service-settings.js';
import type { Environment } from './variables.js';

export type ServiceConfig<Settings extends ServiceSettings<string> = ServiceSettings<string>> = (() => Settings) & {
  readonly KEY: string | symbol;
  from(environment: Environment): Settings;
  readonly description: ServiceDescription<string>;
};

export function serviceConfig<const Called extends string>(
  description: ServiceDescription<Called> & { readonly login: true },
): ServiceConfig<LoginServiceSettings<Called>>;
export function serviceConfig<const Called extends string = never>(
  description: ServiceDescription<Called> & { readonly signals: 'own' },
): ServiceConfig<PollerSettings<Called>>;
export function serviceConfig<const Called extends string = never>(
  description: ServiceDescription<Called>,
): ServiceConfig<ServiceSettings<Called>>;
export function serviceConfig(description: ServiceDescription<string>): ServiceConfig {
  const from = (environment: Environment) => readServiceSettings(environment, description);
  return Object.assign(
    registerAs(description.name, () => from(process.env)),
    { description, from },
  );
}

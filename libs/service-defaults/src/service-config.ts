/** serviceConfig(): the settings of a service, injected by their `KEY`. No other code of the services reads the environment. */
import { registerAs } from '@nestjs/config';
import {
  readServiceSettings,
  type LoginServiceSettings,
  type ServiceDescription,
  type ServiceSettings,
} from './service-settings.js';

/** A function that reads the settings. */
export type ServiceConfig<Settings extends ServiceSettings<string> = ServiceSettings<string>> = (() => Settings) & {
  readonly KEY: string | symbol;
  readonly description: ServiceDescription<string>;
};

export function serviceConfig<const Called extends string>(
  description: ServiceDescription<Called> & { readonly login: true },
): ServiceConfig<LoginServiceSettings<Called>>;
export function serviceConfig<const Called extends string = never>(
  description: ServiceDescription<Called>,
): ServiceConfig<ServiceSettings<Called>>;
export function serviceConfig(description: ServiceDescription<string>): ServiceConfig {
  const read = registerAs(description.name, () => readServiceSettings(process.env, description));
  return Object.assign(read, { description });
}

/** Settings of Service C: the only file of the service that reads the environment. */
import { registerAs, type ConfigType } from '@nestjs/config';
import { readServiceSettings } from 'service-defaults';

export const serviceCConfig = registerAs('service-c', () =>
  readServiceSettings(process.env, { name: 'service-c', port: 3002, urls: [] }),
);

export type ServiceCConfig = ConfigType<typeof serviceCConfig>;

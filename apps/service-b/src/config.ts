/** Settings of Service B: the only file of the service that reads the environment. */
import { registerAs, type ConfigType } from '@nestjs/config';
import { readServiceSettings } from 'service-defaults';

export const serviceBConfig = registerAs('service-b', () =>
  readServiceSettings(process.env, {
    name: 'service-b',
    port: 3001,
    urls: ['SERVICE_C_URL'],
    demo: { urls: { SERVICE_A_URL: 'http://localhost:3000' } },
  }),
);

export type ServiceBConfig = ConfigType<typeof serviceBConfig>;

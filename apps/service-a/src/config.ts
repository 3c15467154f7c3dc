/** Settings of Service A: the only file of the service that reads the environment. */
import { registerAs, type ConfigType } from '@nestjs/config';
import { readServiceSettings } from 'service-defaults';

export const serviceAConfig = registerAs('service-a', () =>
  readServiceSettings(process.env, {
    name: 'service-a',
    port: 3000,
    urls: ['SERVICE_B_URL'],
    login: true,
    // DEMO: the repository publishes this secret, so it protects nothing.
    demo: {
      urls: { SERVICE_C_URL: 'http://localhost:3002' },
      secrets: { SHORT_LIVED_CLIENT_SECRET: 's-secret' },
    },
  }),
);

export type ServiceAConfig = ConfigType<typeof serviceAConfig>;

import type { ConfigType } from '@nestjs/config';
import { serviceConfig } from 'service-defaults';

export const serviceAConfig = serviceConfig({
  name: 'service-a',
  port: 3000,
  calls: { 'service-b': { asService: ['orders.approve'], onBehalfOf: ['orders.approve'] } },
  login: true,
  signals: 'shared',
  // DEMO: the repository publishes these secrets, so they protect nothing.
  demo: {
    calls: { 'service-b': { asService: ['attacks.replay'], onBehalfOf: ['attacks.replay'] } },
    urls: { SERVICE_C_URL: 'http://localhost:3002' },
    secrets: {
      SHORT_LIVED_CLIENT_SECRET: 's-secret',
      ONE_FOR_ALL_CLIENT_SECRET: 'o-secret',
      DEMO_HELPDESK_CLIENT_SECRET: 'h-secret',
    },
  },
});

export type ServiceAConfig = ConfigType<typeof serviceAConfig>;

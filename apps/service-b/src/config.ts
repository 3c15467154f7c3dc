/** Settings of Service B. */
import type { ConfigType } from '@nestjs/config';
import { serviceConfig } from 'service-defaults';

export const serviceBConfig = serviceConfig({
  name: 'service-b',
  port: 3001,
  calls: ['service-c'],
  demo: { urls: { SERVICE_A_URL: 'http://localhost:3000' } },
});

export type ServiceBConfig = ConfigType<typeof serviceBConfig>;

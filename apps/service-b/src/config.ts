import type { ConfigType } from '@nestjs/config';
import { serviceConfig } from 'service-defaults';

export const serviceBConfig = serviceConfig({
  name: 'service-b',
  port: 3001,
  calls: { 'service-c': { onBehalfOf: ['analytics.run'] } },
  demo: {
    calls: { 'service-c': { onBehalfOf: ['attacks.exchange'] } },
    urls: { SERVICE_A_URL: 'http://localhost:3000' },
    // Only `npm start -- --mcp` sets this flag.
    flags: ['DEMO_ORDER_TOOLS'],
  },
});

export type ServiceBConfig = ConfigType<typeof serviceBConfig>;

import type { ConfigType } from '@nestjs/config';
import { serviceConfig } from 'service-defaults';

export const serviceCConfig = serviceConfig({ name: 'service-c', port: 3002, calls: {} });

export type ServiceCConfig = ConfigType<typeof serviceCConfig>;

import type { ConfigType } from '@nestjs/config';
import { serviceConfig } from 'service-defaults';

export const signalPollerConfig = serviceConfig({ name: 'signal-poller', port: 3010, calls: {}, signals: 'own' });

export type SignalPollerConfig = ConfigType<typeof signalPollerConfig>;

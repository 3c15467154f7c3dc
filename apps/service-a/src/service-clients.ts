/** Service clients: registers the services that Service A calls, once for all its modules. */
import type { ConfigType } from '@nestjs/config';
import { KeycloakModule } from 'nestjs-keycloak-s2s';
import { serviceAConfig } from './config.js';

export const serviceClients = KeycloakModule.forFeature([
  {
    name: 'service-b',
    inject: [serviceAConfig.KEY],
    useFactory: ({ urls }: ConfigType<typeof serviceAConfig>) => ({
      baseUrl: urls.SERVICE_B_URL,
      audience: 'service-b',
    }),
  },
]);

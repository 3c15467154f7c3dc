/** Service clients: registers the services that Service B calls, once for all its modules. */
import type { ConfigType } from '@nestjs/config';
import { KeycloakModule } from 'nestjs-keycloak-s2s';
import { serviceBConfig } from './config.js';

export const serviceClients = KeycloakModule.forFeature([
  {
    name: 'service-c',
    inject: [serviceBConfig.KEY],
    useFactory: ({ urls }: ConfigType<typeof serviceBConfig>) => ({
      baseUrl: urls.SERVICE_C_URL,
      audience: 'service-c',
    }),
  },
]);

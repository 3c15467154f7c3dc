// nest-keycloak-connect as in its README: a global guard with ONLINE validation (the default).
import { APP_GUARD } from '@nestjs/core';
import connect from 'nest-keycloak-connect';
import { serveGuardedRoute } from './nest.mjs';

const { KEYCLOAK_BASE_URL, CLIENT_ID, CLIENT_SECRET } = process.env;
const { AuthGuard, KeycloakConnectModule, TokenValidation } = connect;

await serveGuardedRoute({
  imports: [
    KeycloakConnectModule.register({
      authServerUrl: KEYCLOAK_BASE_URL,
      realm: 'microservices',
      clientId: CLIENT_ID,
      secret: CLIENT_SECRET,
      tokenValidation: TokenValidation.ONLINE,
      logLevels: ['error', 'warn'],
      useNestLogger: true,
    }),
  ],
  providers: [{ provide: APP_GUARD, useClass: AuthGuard }],
});

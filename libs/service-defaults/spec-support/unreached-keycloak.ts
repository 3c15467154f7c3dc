import { KeycloakModule } from 'nestjs-keycloak-s2s';

export const unreachedKeycloak = () =>
  KeycloakModule.forRoot({
    issuer: 'https://sso.example.com/realms/shop',
    clientId: 'service-t',
    clientSecret: 'of-my-own',
  });

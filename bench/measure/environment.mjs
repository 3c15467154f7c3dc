import { SECRETS } from './keycloak.mjs';

export const keycloakEnvironment = ({ baseUrl, issuer }, clientId) => ({
  NODE_ENV: 'production',
  KEYCLOAK_BASE_URL: baseUrl,
  KEYCLOAK_ISSUER: issuer,
  CLIENT_ID: clientId,
  CLIENT_SECRET: SECRETS[clientId],
});

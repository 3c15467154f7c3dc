/** The embedded authorization server with the demo realm. */
import { fileURLToPath } from 'node:url';
import { startAuthorizationServer, type RunningAuthorizationServer } from 'nestjs-keycloak-s2s/testing';
import { publicUrl, SECRETS } from './keycloak.js';

export const REALM_FILE = fileURLToPath(new URL('../keycloak/microservices-realm.json', import.meta.url));

export const REALM_ENVIRONMENT = {
  SERVICE_A_CLIENT_SECRET: SECRETS['service-a'],
  SERVICE_B_CLIENT_SECRET: SECRETS['service-b'],
  SERVICE_C_CLIENT_SECRET: SECRETS['service-c'],
  WAREHOUSE_CLIENT_SECRET: SECRETS.warehouse,
  SERVICE_A_PUBLIC_URL: publicUrl,
  SHORT_LIVED_CLIENT_SECRET: SECRETS['short-lived'],
};

export const startEmbeddedServer = (): Promise<RunningAuthorizationServer> =>
  startAuthorizationServer({ realm: REALM_FILE, environment: REALM_ENVIRONMENT });

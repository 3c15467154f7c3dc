/** The embedded authorization server with the demo realm. */
import { fileURLToPath } from 'node:url';
import { startAuthorizationServer, type RunningAuthorizationServer } from 'nestjs-keycloak-s2s/testing';
import { publicUrl, SECRETS } from './keycloak.js';

export const REALM_FILE = fileURLToPath(new URL('../keycloak/microservices-realm.json', import.meta.url));

const variable = (client: string): string => `${client.toUpperCase().replaceAll('-', '_')}_CLIENT_SECRET`;

export const REALM_ENVIRONMENT: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(SECRETS).map(([client, secret]) => [variable(client), secret])),
  SERVICE_A_PUBLIC_URL: publicUrl,
};

export const startEmbeddedServer = (): Promise<RunningAuthorizationServer> =>
  startAuthorizationServer({ realm: REALM_FILE, environment: REALM_ENVIRONMENT });

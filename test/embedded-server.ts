/** The embedded authorization server with the demo realm. */
import { fileURLToPath } from 'node:url';
import { startAuthorizationServer, type RunningAuthorizationServer } from 'nestjs-keycloak-s2s/testing';
import { Administrator } from './administrator.js';
import { publicUrl, REALM, SECRETS } from './keycloak.js';

export const REALM_FILE = fileURLToPath(new URL('../keycloak/microservices-realm.json', import.meta.url));

const variable = (client: string): string => `${client.toUpperCase().replaceAll('-', '_')}_CLIENT_SECRET`;

export const REALM_ENVIRONMENT: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(SECRETS).map(([client, secret]) => [variable(client), secret])),
  SERVICE_A_PUBLIC_URL: publicUrl,
};

export const startEmbeddedServer = (): Promise<RunningAuthorizationServer> =>
  startAuthorizationServer({ realm: REALM_FILE, environment: REALM_ENVIRONMENT });

/** Gives the tokens of Service A so short a life that every use of a session there refreshes it. */
export async function refreshAtEveryUse(baseUrl: string): Promise<void> {
  const administrator = new Administrator(baseUrl, REALM);
  const [client] = await administrator.read<{ id: string; attributes: object }[]>('/clients?clientId=service-a');
  const attributes = { ...client?.attributes, 'access.token.lifespan': '10' };
  await administrator.change('PUT', `/clients/${client?.id}`, { ...client, attributes });
}

import { fileURLToPath } from 'node:url';
import { startAuthorizationServer, testServer, type RunningAuthorizationServer } from 'keycloak-test-servers';
import description from '../../../services.json' with { type: 'json' };
import { Administrator } from './administrator.js';

const clients = { ...description.services, ...description.otherClients };

export type ConfidentialClient = keyof typeof clients;

export const SECRETS = Object.fromEntries(
  Object.entries(clients).map(([client, { demoSecret }]) => [client, demoSecret]),
) as Readonly<Record<ConfidentialClient, string>>;

/** Each Jest worker uses a copy of the realm with the name `testServer().realm`. */
export const REALM = 'microservices';
export const REALM_FILE = fileURLToPath(new URL('../../../keycloak/microservices-realm.json', import.meta.url));

export const keycloakUrl = (): string => testServer().baseUrl;

export const issuer = (): string => testServer().issuer;

export const realmOf = (of: string): string => of.slice(of.lastIndexOf('/') + 1);

/** With `npm test`, Keycloak sends logout notifications to this URL. */
export const publicUrl = process.env['TEST_SERVICE_A_URL'] ?? 'http://localhost:3000';

/** Only a Keycloak that `npm test` started knows the address of this process. */
export const keycloakReachesUs = process.env['TEST_SERVICE_A_URL'] !== undefined;

export const prefixOf = (client: string): string => client.toUpperCase().replaceAll('-', '_');

export const REALM_ENVIRONMENT: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(SECRETS).map(([client, secret]) => [`${prefixOf(client)}_CLIENT_SECRET`, secret]),
  ),
  SERVICE_A_PUBLIC_URL: publicUrl,
  DEMO_HELPDESK_ENABLED: 'true',
};

export const startEmbeddedServer = (): Promise<RunningAuthorizationServer> =>
  startAuthorizationServer({ realm: REALM_FILE, environment: REALM_ENVIRONMENT });

/** Shortens the lifespan of service-a's tokens, so that Service A refreshes at every use of a session. */
export async function refreshAtEveryUse(baseUrl: string): Promise<void> {
  const administrator = new Administrator(baseUrl, REALM);
  const [client] = await administrator.read<{ id: string; attributes: object }[]>('/clients?clientId=service-a');
  const attributes = { ...client?.attributes, 'access.token.lifespan': '10' };
  await administrator.change('PUT', `/clients/${client?.id}`, { ...client, attributes });
}

export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
}

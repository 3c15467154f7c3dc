/** The demo realm, on the shared server of `npm test`, where each worker of Jest has a copy, and on a separate embedded server. */
import { fileURLToPath } from 'node:url';
import { startAuthorizationServer, testServer, type RunningAuthorizationServer } from 'keycloak-test-servers';
import description from '../../../services.json' with { type: 'json' };
import { Administrator } from './administrator.js';

const clients = { ...description.services, ...description.otherClients };

export type ConfidentialClient = keyof typeof clients;

/** The published secrets of the demo realm. */
export const SECRETS = Object.fromEntries(
  Object.entries(clients).map(([client, { demoSecret }]) => [client, demoSecret]),
) as Readonly<Record<ConfidentialClient, string>>;

/** Its name in the realm file. The copy of this worker has another one: `testServer().realm`. */
export const REALM = 'microservices';
export const REALM_FILE = fileURLToPath(new URL('../../../keycloak/microservices-realm.json', import.meta.url));

export const keycloakUrl = (): string => testServer().baseUrl;

export const issuer = (): string => testServer().issuer;

/** The name of the realm, by which its issuer ends. */
export const realmOf = (of: string): string => of.slice(of.lastIndexOf('/') + 1);

/** The redirect target of browsers. With `npm test`, Keycloak also sends its logout notifications there. */
export const publicUrl = process.env['TEST_SERVICE_A_URL'] ?? 'http://localhost:3000';

/** A Keycloak that `npm test` did not start has no address for its logout notifications. */
export const keycloakReachesUs = process.env['TEST_SERVICE_A_URL'] !== undefined;

/** The prefix of a client's variables: `SERVICE_A` for service-a. */
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

/** Makes the tokens of Service A so short-lived that every use of a session refreshes them. */
export async function refreshAtEveryUse(baseUrl: string): Promise<void> {
  const administrator = new Administrator(baseUrl, REALM);
  const [client] = await administrator.read<{ id: string; attributes: object }[]>('/clients?clientId=service-a');
  const attributes = { ...client?.attributes, 'access.token.lifespan': '10' };
  await administrator.change('PUT', `/clients/${client?.id}`, { ...client, attributes });
}

/** Decodes the claims of a token without verification. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
}

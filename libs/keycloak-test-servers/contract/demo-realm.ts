/** The demo realm, on the server that `npm test` shares among the specs, and on an embedded server of one's own. */
import { fileURLToPath } from 'node:url';
import { describe } from '@jest/globals';
import { startAuthorizationServer, testServer, type RunningAuthorizationServer } from 'keycloak-test-servers';
import description from '../../../services.json' with { type: 'json' };
import { Administrator } from './administrator.js';

const clients = { ...description.services, ...description.otherClients };

export type ConfidentialClient = keyof typeof clients;

/** The published secrets of the demo realm. */
export const SECRETS = Object.fromEntries(
  Object.entries(clients).map(([client, { demoSecret }]) => [client, demoSecret]),
) as Readonly<Record<ConfidentialClient, string>>;

export const REALM = 'microservices';
export const REALM_FILE = fileURLToPath(new URL('../../../keycloak/microservices-realm.json', import.meta.url));

export const keycloakUrl = (): string => testServer().baseUrl;

/** For what only a real Keycloak has. Where the embedded server takes its place, Jest lists it as skipped, by name. */
export const describeOnKeycloak = (name: string, tests: () => void): void =>
  (testServer().kind === 'embedded' ? describe.skip : describe)(name, tests);

export const issuer = (): string => `${keycloakUrl()}/realms/${REALM}`;

/** Where the realm sends browsers back to. With `npm test` its Keycloak also sends its logout notices there. */
export const publicUrl = process.env['TEST_SERVICE_A_URL'] ?? 'http://localhost:3000';

/** A Keycloak that was not started by `npm test` knows nothing of where to send its notices. */
export const keycloakReachesUs = process.env['TEST_SERVICE_A_URL'] !== undefined;

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

/** The claims of a token, as anybody who holds it can read them. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
}

import { readFileSync } from 'node:fs';
import { testServer } from 'keycloak-test-servers';
import description from '../../services.json' with { type: 'json' };
import { Administrator } from '../../libs/keycloak-test-servers/contract/administrator.js';
import { REALM, startEmbeddedServer } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { clientIn, withRealm } from './realm-copy.js';
import type { ServerAddress } from './running-services.js';

const CLIENT = new URL('../../keycloak/one-for-all-client.json', import.meta.url);

export async function addDemoClient(administrator: Administrator): Promise<void> {
  const client = JSON.parse(readFileSync(CLIENT, 'utf8')) as object;
  const body = { ...client, secret: description.addedClients['one-for-all'].demoSecret };
  const { status } = await administrator.ask('POST', '/clients', { body });
  if (status !== 201 && status !== 409) throw new Error(`the client was not added: ${status}`);
}

export async function withShortTokens<T>(seconds: number, use: (realm: ServerAddress) => Promise<T>): Promise<T> {
  const lifespan = { 'access.token.lifespan': String(seconds) };
  if (testServer().kind !== 'embedded') {
    return withRealm(
      (realm) => Object.assign(clientIn(realm, 'service-b').attributes, lifespan),
      ({ baseUrl, issuer }) => use({ baseUrl, issuer }),
    );
  }
  const server = await startEmbeddedServer();
  try {
    const administrator = new Administrator(server.baseUrl, REALM);
    const [client] = await administrator.read<{ id: string; attributes: object }[]>('/clients?clientId=service-b');
    const attributes = { ...client?.attributes, ...lifespan };
    await administrator.change('PUT', `/clients/${client?.id}`, { ...client, attributes });
    return await use(server);
  } finally {
    await server.stop();
  }
}

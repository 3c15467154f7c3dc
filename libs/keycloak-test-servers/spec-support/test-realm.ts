import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  startAuthorizationServer,
  type RunningAuthorizationServer,
} from '../src/embedded/start-authorization-server.js';
import { unfilledPlaceholders } from '../src/realm-export.js';

export const REALM_FILE = fileURLToPath(new URL('../../../keycloak/microservices-realm.json', import.meta.url));

/** A client secret that must be encoded in HTTP Basic (RFC 6749 §2.3.1). */
export const CLIENT_SECRET = 'the-secret:of +it';

export const startTestRealm = (): Promise<RunningAuthorizationServer> =>
  startAuthorizationServer({ realm: REALM_FILE, environment: allSecrets(CLIENT_SECRET) });

export function allSecrets(secret: string): Readonly<Record<string, string>> {
  const names = unfilledPlaceholders(readFileSync(REALM_FILE, 'utf8'), {});
  return Object.fromEntries(names.map((name) => [name, secret]));
}

export async function loginTo({ issuer }: RunningAuthorizationServer, username: 'alice' | 'bob'): Promise<string> {
  const form = { grant_type: 'password', client_id: 'demo-cli', username, password: username, scope: 'orders.read' };
  const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  const { access_token } = (await response.json()) as { readonly access_token: string };
  return access_token;
}

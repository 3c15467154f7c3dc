/** The demo realm for specs of the library: an authorization server of their own, and how its clients reach it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  startAuthorizationServer,
  type RunningAuthorizationServer,
} from './authorization-server/start-authorization-server.js';
import { unfilledPlaceholders } from './keycloak-settings.js';

export const REALM_FILE = fileURLToPath(new URL('../../../../keycloak/microservices-realm.json', import.meta.url));

/** Of every client. Its characters must be encoded in the header of RFC 6749 §2.3.1. */
const CLIENT_SECRET = 'the-secret:of +it';

export const startTestRealm = (): Promise<RunningAuthorizationServer> =>
  startAuthorizationServer({ realm: REALM_FILE, environment: allSecrets(CLIENT_SECRET) });

/** The placeholders that the realm file has for the secrets of its clients, all of them filled with one. */
export function allSecrets(secret: string): Readonly<Record<string, string>> {
  const names = unfilledPlaceholders(readFileSync(REALM_FILE, 'utf8'), {});
  return Object.fromEntries(names.map((name) => [name, secret]));
}

/** As a client of the realm is configured, with no retries and a circuit that stays closed. */
export const connectionTo = ({ issuer }: RunningAuthorizationServer, clientId = 'service-b') => ({
  issuer,
  realmUrl: issuer,
  clientId,
  clientSecret: CLIENT_SECRET,
  allowInsecureRequests: true,
  defaultScopes: ['profile', 'email'],
  timeoutMs: 500,
  maxConcurrentCalls: 20,
  maxQueuedCalls: 500,
  maxRetries: 0,
  circuitBreakerFailures: 1000,
  circuitBreakerPauseMs: 1000,
});

/** RFC 6749 §2.3.1: id and secret are form-encoded before they become user name and password. */
export const BASIC_OF_SERVICE_B = `Basic ${Buffer.from('service%2Db:the%2Dsecret%3Aof+%2Bit').toString('base64')}`;

/** The access token of alice or bob, meant for service-a, as a user brings one to it. */
export async function loginTo({ issuer }: RunningAuthorizationServer, username: 'alice' | 'bob'): Promise<string> {
  const form = { grant_type: 'password', client_id: 'demo-cli', username, password: username, scope: 'orders.read' };
  const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  const { access_token } = (await response.json()) as { readonly access_token: string };
  return access_token;
}

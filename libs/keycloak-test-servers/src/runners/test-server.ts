import type { RunningServer } from '../running-server.js';

export type TestServer = Omit<RunningServer, 'stop'>;

/** A `TestServer` as JSON, which the processes and threads of the specs inherit. */
const VARIABLE = 'TEST_AUTHORIZATION_SERVER';

/**
 * Returns the server that `keycloak-test-servers/jest-setup` started for this run. All specs share this server, so one
 * spec's change affects all other specs.
 *
 * @throws Error if no server was started; the message says what to add to Jest's configuration.
 */
export function testServer(): TestServer {
  const text = process.env[VARIABLE];
  if (text !== undefined) return JSON.parse(text) as TestServer;
  throw new Error(
    [
      'No server was started for this run. In the configuration of Jest:',
      "  globalSetup: 'keycloak-test-servers/jest-setup',",
      "  globalTeardown: 'keycloak-test-servers/jest-teardown',",
      "  globals: { authorizationServer: { realm: 'keycloak/realm.json', environment: { … } } },",
    ].join('\n'),
  );
}

export function publishToEnv(server: RunningServer): void {
  const { baseUrl, issuer, realm, version, kind, features, adminUsername, adminPassword, fallbackReason } = server;
  const known = { baseUrl, issuer, realm, version, kind, features, adminUsername, adminPassword };
  const published: TestServer = fallbackReason === undefined ? known : { ...known, fallbackReason };
  process.env[VARIABLE] = JSON.stringify(published);
}

export function removeFromEnv(): void {
  delete process.env[VARIABLE];
}

/** testServer(): the server that was started for all specs of a run, as each of them reads it from the environment. */
import type { RunningServer } from '../running-server.js';

/** What can be known of a server in another process. */
export type TestServer = Omit<RunningServer, 'stop'>;

/** Holds a `TestServer` as JSON: processes and threads that run specs inherit it. */
const VARIABLE = 'TEST_AUTHORIZATION_SERVER';

/**
 * In a spec: the server that `keycloak-test-servers/jest-setup` has started for this run. All specs share it, so what
 * one changes in it (a user that is disabled, say) others meet.
 *
 * @throws Error when there is none, with what to add to Jest's configuration.
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

/** For those that are started from now on. */
export function publishToEnv(server: RunningServer): void {
  const { baseUrl, issuer, realm, version, kind, adminUsername, adminPassword, fallbackReason } = server;
  const known = { baseUrl, issuer, realm, version, kind, adminUsername, adminPassword };
  const published: TestServer = fallbackReason === undefined ? known : { ...known, fallbackReason };
  process.env[VARIABLE] = JSON.stringify(published);
}

export function removeFromEnv(): void {
  delete process.env[VARIABLE];
}

import { sharedServerOptions, startSharedServer } from './shared-server.js';

export interface JestProjectConfig {
  readonly rootDir: string;
  readonly globals: Readonly<Record<string, unknown>>;
}

/**
 * Starts the shared server for `testServer()`. `jest-teardown` is required too. Jest's configuration contains the
 * `StartServerOptions` in `globals.authorizationServer`. The path of the realm is relative to `rootDir`. The
 * environment variable `AUTHORIZATION_SERVER` selects the server.
 */
async function setUp(_: unknown, { globals, rootDir }: JestProjectConfig): Promise<void> {
  const where = 'globals.authorizationServer in the configuration of Jest';
  await startSharedServer(sharedServerOptions(globals['authorizationServer'], rootDir, where));
}

export { setUp as default };

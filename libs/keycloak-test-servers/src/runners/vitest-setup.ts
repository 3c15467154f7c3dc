/** The globalSetup of Vitest that starts a server for all specs of a run: `keycloak-test-servers/vitest-setup`. */
import { sharedServerOptions, startSharedServer } from './shared-server.js';

export { stopSharedServer as teardown } from './shared-server.js';

/** The part of Vitest's project that is used. */
export interface VitestProject {
  readonly config: { readonly root: string; readonly provide?: Readonly<Record<string, unknown>> };
}

/**
 * Works as `jest-setup`, with the options at `provide.authorizationServer` of Vitest's configuration, and the path of the realm
 * relative to `root`. (In TypeScript, add that member to `ProvidedContext` of the module `vitest`.)
 */
export async function setup({ config: { root, provide } }: VitestProject): Promise<void> {
  const where = 'provide.authorizationServer in the configuration of Vitest';
  await startSharedServer(sharedServerOptions(provide?.['authorizationServer'], root, where));
}

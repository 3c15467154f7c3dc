import { sharedServerOptions, startSharedServer } from './shared-server.js';

export { stopSharedServer as teardown } from './shared-server.js';

export interface VitestProject {
  readonly config: { readonly root: string; readonly provide?: Readonly<Record<string, unknown>> };
}

/**
 * Starts the shared server like `jest-setup`, with the options in `provide.authorizationServer` of Vitest's
 * configuration. The path of the realm is relative to `root`. (In TypeScript, add that member to `ProvidedContext` of
 * the module `vitest`.)
 */
export async function setup({ config: { root, provide } }: VitestProject): Promise<void> {
  const where = 'provide.authorizationServer in the configuration of Vitest';
  await startSharedServer(sharedServerOptions(provide?.['authorizationServer'], root, where));
}

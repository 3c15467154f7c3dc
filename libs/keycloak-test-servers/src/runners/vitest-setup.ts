import type { StartServerOptions } from '../start-server-options.js';
import { sharedServerOptions, startSharedServer } from './shared-server.js';
import { testServer, type TestServer } from './test-server.js';

export { stopSharedServer as teardown } from './shared-server.js';

/** The options in Vitest's configuration, without functions and signals, since Vitest clones this object. */
export interface ProvidedServerOptions extends Omit<StartServerOptions, 'environment' | 'onProgress' | 'signal'> {
  readonly environment?: Readonly<Record<string, string>>;
}

/** @ts-ignore Without Vitest, TypeScript can't find the module. A plain comment would be missing in the `.d.ts` file. */
declare module 'vitest' {
  interface ProvidedContext {
    /** The options of the server, in `provide` of Vitest's configuration. */
    readonly authorizationServer: ProvidedServerOptions;
    /** The running server, as `testServer()` returns it. */
    readonly testServer: TestServer;
  }
}

export interface VitestProject {
  readonly config: { readonly root: string; readonly provide?: Readonly<Record<string, unknown>> };
  provide(key: 'testServer', value: TestServer): void;
}

/**
 * Starts the shared server like `jest-setup`, with the options in `provide.authorizationServer` of Vitest's
 * configuration. The path of the realm is relative to `root`. In specs, `inject('testServer')` returns the server. In
 * TypeScript, add `keycloak-test-servers/vitest-setup` to `types` of `tsconfig.json`.
 */
export async function setup(project: VitestProject): Promise<void> {
  const { root, provide } = project.config;
  const where = 'provide.authorizationServer in the configuration of Vitest';
  await startSharedServer(sharedServerOptions(provide?.['authorizationServer'], root, where));
  project.provide('testServer', testServer());
}

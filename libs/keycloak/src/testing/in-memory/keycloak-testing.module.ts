import { Module, type DynamicModule } from '@nestjs/common';
import { Network } from '../../http/network.js';
import {
  KEYCLOAK,
  MODULE_OPTIONS_TOKEN,
  RESOLVED_OPTIONS,
  SHARED_STATE,
} from '../../module/keycloak.module-definition.js';
import { KeycloakModule } from '../../module/keycloak.module.js';
import type { ClientCredentials, IssuerOptions } from '../../options/issuer.options.js';
import type {
  AnyModuleOptions,
  KeycloakModuleOptions,
  ResolvedKeycloakOptions,
} from '../../options/keycloak.options.js';
import { TEST_AUDIENCE, TEST_ISSUER } from '../test-access-token.js';
import { refuseInProduction } from '../refuse-in-production.js';
import { TestNetwork } from './test-network.js';

export interface OverridableBuilder {
  overrideProvider(token: unknown): {
    useValue(value: unknown): unknown;
    useFactory(options: { factory: (injected: never) => unknown; inject: symbol[] }): unknown;
  };
}

const ISSUER: IssuerOptions = { issuer: TEST_ISSUER, clientId: TEST_AUDIENCE };

const credentialsOf = ({ clientSecret, clientAuthentication }: Partial<KeycloakModuleOptions>): ClientCredentials =>
  clientAuthentication === undefined ? { clientSecret: clientSecret ?? 'test-secret' } : { clientAuthentication };

function withDefaults(given: Partial<AnyModuleOptions>): AnyModuleOptions {
  // No request leaves the process, so a test may keep the http: addresses of a developer's machine.
  const options = { ...given, allowInsecureRequests: given.allowInsecureRequests ?? true };
  return 'issuers' in options && options.issuers !== undefined
    ? { ...options, issuers: options.issuers }
    : { ...ISSUER, ...options, ...credentialsOf(options) };
}

/**
 * Replaces only the network of `KeycloakModule`: `signIn` and `testServices` set the answers. The guard refuses a token
 * that `signIn` did not return.
 *
 * Throws `Error` if `NODE_ENV` is not `test` or `development`. Also throws if a module imports the class without
 * `forRoot()`, because that import would guard no route.
 */
@Module({})
export class KeycloakTestingModule {
  constructor() {
    throw new Error('Import KeycloakTestingModule.forRoot(), or use KeycloakTestingModule.override(builder)');
  }

  /**
   * Replaces the network of a module that imports `KeycloakModule.forRoot` or `forRootAsync` at any depth. Without
   * `options`, the application keeps its production options. The production options may need providers and environment
   * variables that the test must supply.
   *
   * If `options` is given, the factory of `forRootAsync` is not called. The defaults of `options` are the issuer
   * `https://keycloak.test/realms/test`, client id `test-service`, a made-up secret, `allowInsecureRequests: true`
   * (because no request leaves the process), and the other defaults of `KeycloakModule`.
   */
  static override<Builder extends OverridableBuilder>(builder: Builder, options?: Partial<AnyModuleOptions>): Builder {
    refuseInProduction('KeycloakTestingModule');
    if (options !== undefined) builder.overrideProvider(MODULE_OPTIONS_TOKEN).useValue(withDefaults(options));
    builder.overrideProvider(SHARED_STATE).useFactory({ inject: [KEYCLOAK], factory: leaveOff });
    builder.overrideProvider(Network).useFactory({ inject: [RESOLVED_OPTIONS], factory: testNetwork });
    return builder;
  }

  /** Replaces `KeycloakModule.forRoot`, to test a single module or controller. */
  static forRoot(options: Partial<AnyModuleOptions> = {}): DynamicModule {
    refuseInProduction('KeycloakTestingModule');
    const real = KeycloakModule.forRoot(withDefaults(options));
    const network = { provide: Network, inject: [RESOLVED_OPTIONS], useFactory: testNetwork };
    return { ...real, providers: [...(real.providers ?? []), network, noSharing] };
  }
}

interface Shared {
  readonly sharing: readonly { leaveOff(): void }[];
  readonly shared: readonly { leaveOff(): void }[];
}
const leaveOff = ({ sharing, shared }: Shared): void => {
  for (const each of [...sharing, ...shared]) each.leaveOff();
};
const noSharing = { provide: SHARED_STATE, inject: [KEYCLOAK], useFactory: leaveOff };

const testNetwork = (options: ResolvedKeycloakOptions): TestNetwork => new TestNetwork(options);

/** KeycloakTestingModule: KeycloakModule as it is, with its network replaced, for tests without any server. */
import { Module, type DynamicModule } from '@nestjs/common';
import { Network } from '../../http/network.js';
import { MODULE_OPTIONS_TOKEN, RESOLVED_OPTIONS } from '../../keycloak.module-definition.js';
import { KeycloakModule } from '../../keycloak.module.js';
import type { KeycloakModuleOptions, ResolvedKeycloakOptions } from '../../keycloak.options.js';
import { TEST_AUDIENCE, TEST_ISSUER } from '../test-access-token.js';
import { refuseInProduction } from '../refuse-in-production.js';
import { TestNetwork } from './test-network.js';

/** Nest's `TestingModuleBuilder`: the part that is used. */
export interface OverridableBuilder {
  overrideProvider(token: unknown): {
    useValue(value: unknown): unknown;
    useFactory(options: { factory: (options: ResolvedKeycloakOptions) => unknown; inject: symbol[] }): unknown;
  };
}

const DEFAULTS: KeycloakModuleOptions = { issuer: TEST_ISSUER, clientId: TEST_AUDIENCE, clientSecret: 'test-secret' };

/**
 * Guard, verdict, caches, token requests, service calls and refusals are the real ones; what they would send to the
 * authorization server and to other services is answered in memory, by what `signIn` and `testServices` say. Nothing leaves
 * the process, and a token that was not signed in is refused. Each application has a state of its own.
 *
 * Throws `Error` unless `NODE_ENV` is `test` or `development`, and when the class itself is imported: it would close nothing.
 */
@Module({})
export class KeycloakTestingModule {
  constructor() {
    throw new Error('Import KeycloakTestingModule.forRoot(), or use KeycloakTestingModule.override(builder)');
  }

  /**
   * For a module that imports `KeycloakModule.forRoot` or `forRootAsync`, wherever: gives back `builder`, to go on with. The
   * application's own options stay as they are; their factory runs, and needs what it needs in life.
   *
   * With `options`, these take the place of the application's, whose factory is not called. Those that are left out are
   * `https://keycloak.test/realms/test`, `test-service`, a made-up secret, and the defaults of `KeycloakModule`.
   */
  static override<Builder extends OverridableBuilder>(
    builder: Builder,
    options?: Partial<KeycloakModuleOptions>,
  ): Builder {
    refuseInProduction('KeycloakTestingModule');
    if (options !== undefined) builder.overrideProvider(MODULE_OPTIONS_TOKEN).useValue({ ...DEFAULTS, ...options });
    builder.overrideProvider(Network).useFactory({ inject: [RESOLVED_OPTIONS], factory: testNetwork });
    return builder;
  }

  /** In place of `KeycloakModule.forRoot`, to test a module or a controller by itself. Options as in `override`. */
  static forRoot(options: Partial<KeycloakModuleOptions> = {}): DynamicModule {
    refuseInProduction('KeycloakTestingModule');
    const real = KeycloakModule.forRoot({ ...DEFAULTS, ...options });
    const network = { provide: Network, inject: [RESOLVED_OPTIONS], useFactory: testNetwork };
    return { ...real, providers: [...(real.providers ?? []), network] };
  }
}

const testNetwork = (options: ResolvedKeycloakOptions): TestNetwork => new TestNetwork(options);

/** RevocationEventsModule: has an application hear of revocations, from its start to its end. */
import {
  Module,
  type DynamicModule,
  type FactoryProvider,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { ClientAuthentication } from '../client-authentication/index.js';
import {
  ConfigurationError,
  ConfigurationFaults,
  FixedSecret,
  KEYCLOAK,
  nonEmptyString,
  optionalText,
  type ComposedKeycloak,
} from '../ports/signals.js';
import { SignalFeed, type SignalFeedOptions } from './signal-feed.js';
import type { SignalSource } from './signal-source.js';

export interface RevocationEventsModuleOptions {
  /** Where it is heard: `keycloakEvents()`. Answers serve longer while all of them are proven. */
  readonly sources: readonly SignalSource[];
  /**
   * The time between the beginnings of two polls. Default 1, 0.2 to 10. Less than `introspectionTtlSeconds` where
   * `introspectionTtlWithEventsSeconds` is set: a proof is valid for that long.
   */
  readonly pollSeconds?: number;
  /**
   * In whose name it is asked. Default: this service's own client. A service that calls others should have another one for it: what its own client may read at Keycloak, whoever gets one of its tokens might read, too.
   */
  readonly client?: SignalsClientOptions;
}

/** A client of the realm that may hear what the sources tell, by one of `clientSecret` and `clientAuthentication`. */
export interface SignalsClientOptions {
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly clientAuthentication?: ClientAuthentication;
}

/** The options, made from what is injected, which modules in `imports` may export. */
export interface SignalsAsyncOptions
  extends
    Pick<ModuleMetadata, 'imports'>,
    Pick<
      FactoryProvider<RevocationEventsModuleOptions | Promise<RevocationEventsModuleOptions>>,
      'inject' | 'useFactory'
    > {}

/**
 * Imported once, beside `KeycloakModule.forRoot`. Asks the first issuer again and again who has logged out or was disabled, and denies or rechecks their tokens in the `RevocationList`, from which other replicas and services learn it
 * over the `revocationChannel`. While it is proven that nothing is missed, introspection answers serve for `introspectionTtlWithEventsSeconds`: those of this process and, over a channel that carries proofs
 * (`valkeyRevocations()`), those of all services. With such a channel one process listens at a time, by a lease, however many import this.
 *
 * A feed that fails or is silent refuses nobody and opens nothing: answers serve for `introspectionTtlSeconds` then, as without it. It does NOT change anything at Keycloak; it leaves the events of its own logins there.
 */
@Module({})
export class RevocationEventsModule {
  /** Throws `ConfigurationError`. */
  static forRoot(options: RevocationEventsModuleOptions): DynamicModule {
    readOptions(options);
    return RevocationEventsModule.forRootAsync({ useFactory: () => options });
  }

  /** The application does not start with what can't be used: `ConfigurationError`. */
  static forRootAsync({ imports = [], inject = [], useFactory }: SignalsAsyncOptions): DynamicModule {
    const feed = {
      provide: FEED,
      inject: [KEYCLOAK, OPTIONS],
      useFactory: ({ issuers: [own], revocations }: ComposedKeycloak, options: RevocationEventsModuleOptions) => {
        if (!own.feed.canProve) throw new ConfigurationError("RevocationEventsModule can't be used", [KEY_MISSING]);
        return new RunningFeed(new SignalFeed(own, revocations, readOptions(options, own.options)));
      },
    };
    return { module: RevocationEventsModule, imports, providers: [{ provide: OPTIONS, inject, useFactory }, feed] };
  }
}

const KEY_MISSING =
  'this process polls revocations and has a revocationChannel, so the channel needs a private key for its proofs: proofs.privateKeyFile or proofs.privateKey of valkeyRevocations() (openssl genpkey -algorithm ed25519)';

const OPTIONS = Symbol('nestjs-keycloak-s2s:signals-options');
const FEED = Symbol('nestjs-keycloak-s2s:signal-feed');

class RunningFeed implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly feed: SignalFeed) {}

  onApplicationBootstrap(): void {
    this.feed.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.feed.stop();
  }
}

/** `issuer`: the options of the first issuer, where they are known. */
function readOptions(
  options: RevocationEventsModuleOptions,
  issuer?: ComposedKeycloak['issuers'][0]['options'],
): SignalFeedOptions {
  const { sources, pollSeconds = 1, client, ...others } = Object(options) as RevocationEventsModuleOptions;
  const faults = new ConfigurationFaults();
  for (const other of Object.keys(others)) faults.fault(`unknown option "${other}"`);
  const isList = Array.isArray(sources) && sources.length > 0 && sources.every(isSource);
  if (!isList) faults.fault('sources must be a list of signal sources, such as keycloakEvents()');
  const isInRange = typeof pollSeconds === 'number' && pollSeconds >= 0.2 && pollSeconds <= 10;
  if (!isInRange) faults.fault('pollSeconds must be a number from 0.2 to 10');
  const { introspectionTtlSeconds: ttl = Infinity, introspectionTtlWithEventsSeconds: signalled } = issuer ?? {};
  if (isInRange && signalled !== undefined && pollSeconds >= ttl) {
    faults.fault(
      `pollSeconds must be less than introspectionTtlSeconds, which is ${ttl}: a proof is valid for that long`,
    );
  }
  const read = client === undefined ? undefined : readClient(client, faults);
  faults.throwIfFaulty((all) => new ConfigurationError("RevocationEventsModule can't be used", all));
  return { sources: [...sources], pollMs: pollSeconds * 1000, client: read };
}

function readClient(client: SignalsClientOptions, faults: ConfigurationFaults): SignalFeedOptions['client'] {
  const { clientId, clientSecret, clientAuthentication, ...others } = Object(client) as SignalsClientOptions;
  for (const other of Object.keys(others)) faults.fault(`unknown option "client.${other}"`);
  // As of `KeycloakModule`: what is wrong with them shows at Keycloak alone, and looks right to who compares it.
  const context = { faults, allowInsecureRequests: false };
  nonEmptyString('client.clientId', clientId, context);
  optionalText('client.clientSecret', clientSecret, context);
  if ((clientSecret === undefined) === (clientAuthentication === undefined)) {
    faults.fault('client must have one of clientSecret and clientAuthentication');
  }
  return { clientId, clientAuthentication: clientAuthentication ?? new FixedSecret(clientSecret ?? '') };
}

const isSource = (source: unknown): source is SignalSource =>
  typeof (Object(source) as Partial<SignalSource>).connect === 'function';

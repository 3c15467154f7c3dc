import {
  Module,
  type DynamicModule,
  type FactoryProvider,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { ClientCredentials } from '../../index.js';
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
  /** The sources of revocation events, such as `keycloakEvents()`. */
  readonly sources: readonly SignalSource[];
  /**
   * The time between the starts of two polls, in seconds. Default 1, 0.2 to 10. With
   * `introspectionTtlWithEventsSeconds`, the time must be less than `introspectionTtlSeconds` (the lifetime of a
   * proof).
   */
  readonly pollSeconds?: number;
  /**
   * The client that polls the sources, by default the client of this service. Use a separate client if this service
   * calls other services: a called service could read the events with the token that it receives.
   */
  readonly client?: RevocationEventsClientOptions;
}

/** A client of the realm that may read the sources. */
export type RevocationEventsClientOptions = { readonly clientId: string } & ClientCredentials;

export interface RevocationEventsAsyncOptions
  extends
    Pick<ModuleMetadata, 'imports'>,
    Pick<
      FactoryProvider<RevocationEventsModuleOptions | Promise<RevocationEventsModuleOptions>>,
      'inject' | 'useFactory'
    > {}

/**
 * Polls the first issuer for logouts and disabled users, and denies or rechecks their tokens. Import this module once,
 * next to `KeycloakModule.forRoot`.
 *
 * Introspection results are cached for `introspectionTtlWithEventsSeconds` while all sources are healthy, otherwise for
 * `introspectionTtlSeconds`.
 *
 * This module does NOT change the settings of the realm. `keycloakEvents()` leaves its logins in the event log, and
 * `sharedSignals()` creates a missing stream.
 */
@Module({})
export class RevocationEventsModule {
  /** Throws `ConfigurationError`. */
  static forRoot(options: RevocationEventsModuleOptions): DynamicModule {
    readOptions(options);
    return RevocationEventsModule.forRootAsync({ useFactory: () => options });
  }

  /** Throws `ConfigurationError` at the start, also if the channel has no private key for proofs. */
  static forRootAsync({ imports = [], inject = [], useFactory }: RevocationEventsAsyncOptions): DynamicModule {
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
  'this process polls revocations, so its revocationChannel needs a private key for proofs: proofs.privateKeyFile or proofs.privateKey of valkeyRevocations() (openssl genpkey -algorithm ed25519)';

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
      `pollSeconds must be less than introspectionTtlSeconds (${ttl}), because a proof is valid for that time`,
    );
  }
  const read = client === undefined ? undefined : readClient(client, faults);
  faults.throwIfFaulty((all) => new ConfigurationError("RevocationEventsModule can't be used", all));
  return { sources: [...sources], pollMs: pollSeconds * 1000, client: read };
}

function readClient(client: RevocationEventsClientOptions, faults: ConfigurationFaults): SignalFeedOptions['client'] {
  const { clientId, clientSecret, clientAuthentication, ...others } = Object(client) as RevocationEventsClientOptions;
  for (const other of Object.keys(others)) faults.fault(`unknown option "client.${other}"`);
  // Refuses invisible control characters, as `KeycloakModule` does, because otherwise only Keycloak would report the
  // mistake.
  const context = { faults, allowInsecureRequests: false };
  nonEmptyString('client.clientId', clientId, context);
  optionalText('client.clientSecret', clientSecret, context);
  if ((clientSecret === undefined) === (clientAuthentication === undefined)) {
    faults.fault('client must have either clientSecret or clientAuthentication');
  }
  return { clientId, clientAuthentication: clientAuthentication ?? new FixedSecret(clientSecret ?? '') };
}

const isSource = (source: unknown): source is SignalSource =>
  typeof (Object(source) as Partial<SignalSource>).connect === 'function';

/** SignalsModule: has an application hear of revocations, from its start to its end. */
import { Module, type DynamicModule, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { ConfigurationError, ConfigurationFaults, KEYCLOAK, type ComposedKeycloak } from '../ports/signals.js';
import { SignalFeed } from './signal-feed.js';
import type { SignalSource } from './signal-source.js';

export interface SignalsModuleOptions {
  /** Where it is heard: `keycloakEvents()`. Answers serve longer while all of them are proven. */
  readonly sources: readonly SignalSource[];
  /** From the beginning of one poll to that of the next. Default 1, 0.2 to 10. */
  readonly pollSeconds?: number;
}

/**
 * Imported once, beside `KeycloakModule.forRoot`. Asks the first issuer again and again who has logged out or was disabled, and denies or rechecks their tokens in the `RevocationList`, from which other replicas and services learn it
 * over the `revocationChannel`. While it is proven that nothing is missed, introspection answers of this process serve for `introspectionTtlWhileSignalledSeconds`.
 *
 * A feed that fails or is silent refuses nobody and opens nothing: answers serve for `introspectionTtlSeconds` then, as without it. It does NOT change anything at Keycloak; it leaves the events of its own logins there.
 */
@Module({})
export class SignalsModule {
  /** Throws `ConfigurationError`. */
  static forRoot(options: SignalsModuleOptions): DynamicModule {
    const { sources, pollMs } = readOptions(options);
    const feed = {
      provide: FEED,
      inject: [KEYCLOAK],
      useFactory: ({ issuers: [own], revocations }: ComposedKeycloak) =>
        new RunningFeed(new SignalFeed(own, revocations, { sources, pollMs })),
    };
    return { module: SignalsModule, providers: [feed] };
  }
}

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

function readOptions(options: SignalsModuleOptions): {
  readonly sources: readonly SignalSource[];
  readonly pollMs: number;
} {
  const { sources, pollSeconds = 1, ...others } = Object(options) as SignalsModuleOptions;
  const faults = new ConfigurationFaults();
  for (const other of Object.keys(others)) faults.fault(`unknown option "${other}"`);
  const isList = Array.isArray(sources) && sources.length > 0 && sources.every(isSource);
  if (!isList) faults.fault('sources must be a list of signal sources, such as keycloakEvents()');
  const isInRange = typeof pollSeconds === 'number' && pollSeconds >= 0.2 && pollSeconds <= 10;
  if (!isInRange) faults.fault('pollSeconds must be a number from 0.2 to 10');
  faults.throwIfFaulty((all) => new ConfigurationError("SignalsModule can't be used", all));
  return { sources: [...sources], pollMs: pollSeconds * 1000 };
}

const isSource = (source: unknown): source is SignalSource =>
  typeof (Object(source) as Partial<SignalSource>).connect === 'function';

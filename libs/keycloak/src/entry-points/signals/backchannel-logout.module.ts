/** BackchannelLogoutModule: takes logout notices, and denies the tokens of the sessions that have ended. */
import { Module, type DynamicModule, type FactoryProvider, type ModuleMetadata } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { SigningKeys } from '../jws/signing-keys.js';
import {
  awakeClock,
  KEYCLOAK,
  systemClock,
  withFields,
  type ComposedIssuer,
  type ComposedKeycloak,
  type RevocationList,
} from '../ports/signals.js';
import { backchannelLogoutController } from './backchannel-logout.controller.js';
import {
  cantBeUsed,
  checkedListener,
  resolveLogoutOptions,
  type BackchannelLogoutOptions,
} from './backchannel-logout.options.js';
import type { BackchannelLogoutListener } from './logout-listener.js';
import { LogoutNotices, type IssuerNotices } from './logout-notices.js';
import { LogoutTokens } from './logout-tokens.js';
import { RepeatedRechecks } from './repeated-rechecks.js';

/** The options, with a listener that a factory makes from what is injected, which modules in `imports` may export. */
export interface BackchannelLogoutAsyncOptions
  extends
    BackchannelLogoutOptions,
    Pick<ModuleMetadata, 'imports'>,
    Pick<FactoryProvider<BackchannelLogoutListener | Promise<BackchannelLogoutListener>>, 'inject' | 'useFactory'> {}

/** On its way over a channel a recheck grows no older than this, in seconds. */
const JUST_NOW_SECONDS = 2;

/** The injection token of what the application does of its own. */
const LISTENER = Symbol('nestjs-keycloak-s2s:backchannel-logout-listener');

/** A key that the issuer withdrew is believed no longer than this, in seconds. */
const MAX_KEY_AGE_SECONDS = 600;

/**
 * Takes the notices of Keycloak that a session has ended (OpenID Connect Back-Channel Logout 1.0) at one route, which is open to everybody and believes what an issuer of `KeycloakModule` has signed. The tokens of the
 * session are denied in the `RevocationList`, from the next request on, and with a `revocationChannel` at all replicas of all services.
 *
 * Once, beside `KeycloakModule.forRoot`, at one service or several. It does NOT make Keycloak send anything: the client needs `backchannel.logout.url`, and hears of the sessions in which it has taken part (docs/back-channel-logout.md).
 */
@Module({ imports: [DiscoveryModule] })
export class BackchannelLogoutModule {
  /** Throws `ConfigurationError`. */
  static forRoot(options: BackchannelLogoutOptions = {}): DynamicModule {
    return BackchannelLogoutModule.forRootAsync({ ...options, useFactory: () => NOTHING_MORE });
  }

  /** With a listener. Throws `ConfigurationError`; for what `useFactory` gives, at the start. */
  static forRootAsync({
    imports = [],
    inject = [],
    useFactory,
    ...options
  }: BackchannelLogoutAsyncOptions): DynamicModule {
    return {
      module: BackchannelLogoutModule,
      imports,
      controllers: [backchannelLogoutController(resolveLogoutOptions(options))],
      providers: [
        { provide: LISTENER, inject, useFactory },
        {
          provide: LogoutNotices,
          inject: [KEYCLOAK, LISTENER, DiscoveryService],
          useFactory: (keycloak: ComposedKeycloak, listener: unknown, discovery: DiscoveryService) => {
            refuseSecond(discovery);
            return noticesOf(keycloak, checkedListener(listener));
          },
        },
      ],
    };
  }
}

const NOTHING_MORE: BackchannelLogoutListener = { ended: async () => undefined };

/** Throws where another one stands in the application: each would believe a notice once. */
function refuseSecond(discovery: DiscoveryService): void {
  const count = discovery.getProviders().filter(({ token }) => token === LogoutNotices).length;
  if (count > 1) throw cantBeUsed([`it is imported ${count} times: call forRoot or forRootAsync once`]);
}

function noticesOf(
  { issuers: [own, ...others], loggers, revocations }: ComposedKeycloak,
  listener: BackchannelLogoutListener,
): LogoutNotices {
  const log = loggers('BackchannelLogout');
  const clock = awakeClock(systemClock);
  const noticesOfIssuers = [own, ...others].map((at): IssuerNotices => {
    const { issuer, keySet, options } = at;
    const readKeys = keySet('logout_jwks').read;
    const keys = new SigningKeys(
      { readKeys, clock, log: withFields(log, { issuer }) },
      { maxKeyAgeSeconds: MAX_KEY_AGE_SECONDS },
    );
    return {
      issuer,
      tokens: new LogoutTokens({ issuer, clientId: options.clientId }, keys, clock),
      rechecks: repeatedRechecks(at, revocations),
    };
  });
  return new LogoutNotices(noticesOfIssuers, revocations, listener, own.options.maxTokenBytes, log);
}

/** Those of everything, whoever makes them. */
function repeatedRechecks(
  { issuer, rechecks, clock }: ComposedIssuer,
  revocations: Pick<RevocationList, 'recheck'>,
): RepeatedRechecks {
  const repeated = new RepeatedRechecks(() => revocations.recheck({ issuer }));
  rechecks.onRequired((recheck, at) => {
    // Those that the channel has held for a while are read at the start, and after a gap.
    if (recheck === 'everything' && clock.epochSeconds() - at < JUST_NOW_SECONDS) repeated.made();
  });
  return repeated;
}

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

export interface BackchannelLogoutAsyncOptions
  extends
    BackchannelLogoutOptions,
    Pick<ModuleMetadata, 'imports'>,
    Pick<FactoryProvider<BackchannelLogoutListener | Promise<BackchannelLogoutListener>>, 'inject' | 'useFactory'> {}

/** Only a recheck that is less than two seconds old starts a pause between rechecks. */
const JUST_NOW_SECONDS = 2;

const LISTENER = Symbol('nestjs-keycloak-s2s:backchannel-logout-listener');

const MAX_KEY_AGE_SECONDS = 600;

/**
 * Accepts OpenID Connect back-channel logout notices of the issuers in `KeycloakModule`, at one public route. From the
 * next request on, the `RevocationList` denies the tokens of the ended session.
 *
 * Import this module once, next to `KeycloakModule.forRoot`. This module does NOT configure Keycloak: the client needs
 * the attribute `backchannel.logout.url` (docs/revocation.md#back-channel-logout).
 */
@Module({ imports: [DiscoveryModule] })
export class BackchannelLogoutModule {
  /** Throws `ConfigurationError`. */
  static forRoot(options: BackchannelLogoutOptions = {}): DynamicModule {
    return BackchannelLogoutModule.forRootAsync({ ...options, useFactory: () => NOTHING_MORE });
  }

  /**
   * Throws `ConfigurationError` for invalid options. If the result of `useFactory` is invalid, the start fails with
   * `ConfigurationError`.
   */
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

/** Throws if the module is imported twice, because the second instance would accept a replayed notice. */
function refuseSecond(discovery: DiscoveryService): void {
  const count = discovery.getProviders().filter(({ token }) => token === LogoutNotices).length;
  if (count > 1) throw cantBeUsed([`it is imported ${count} times. Call forRoot or forRootAsync once`]);
}

function noticesOf(
  { issuers: [own, ...others], loggers, revocations }: ComposedKeycloak,
  listener: BackchannelLogoutListener,
): LogoutNotices {
  const log = loggers('BackchannelLogout');
  const clock = awakeClock(systemClock);
  const noticesOfIssuers = [own, ...others].map((at): IssuerNotices => {
    const { issuer, keySet, options } = at;
    const { clientId, clockToleranceSeconds } = options;
    const readKeys = keySet('logout_jwks').read;
    const keys = new SigningKeys(
      { readKeys, clock, log: withFields(log, { issuer }) },
      { maxKeyAgeSeconds: MAX_KEY_AGE_SECONDS },
    );
    return {
      issuer,
      tokens: new LogoutTokens({ issuer, clientId, clockToleranceSeconds }, keys, clock),
      rechecks: repeatedRechecks(at, revocations),
    };
  });
  return new LogoutNotices(noticesOfIssuers, revocations, listener, own.options.maxTokenBytes, log);
}

function repeatedRechecks(
  { issuer, rechecks, clock }: ComposedIssuer,
  revocations: Pick<RevocationList, 'recheck'>,
): RepeatedRechecks {
  const repeated = new RepeatedRechecks(() => revocations.recheck({ issuer }));
  rechecks.onRequired((recheck, at) => {
    // At the start and after a gap, the channel also delivers older rechecks.
    if (recheck === 'everything' && clock.epochSeconds() - at < JUST_NOW_SECONDS) repeated.made();
  });
  return repeated;
}

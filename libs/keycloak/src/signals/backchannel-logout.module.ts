/** BackchannelLogoutModule: takes logout notices, and denies the tokens of the sessions that have ended. */
import { Logger, Module, type DynamicModule, type FactoryProvider, type ModuleMetadata } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { SigningKeys } from '../jws/signing-keys.js';
import {
  KEYCLOAK,
  RESOLVED_OPTIONS,
  systemClock,
  withFields,
  type ComponentLog,
  type ComposedKeycloak,
  type ResolvedKeycloakOptions,
} from '../ports/backchannel-logout.js';
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
          inject: [KEYCLOAK, RESOLVED_OPTIONS, LISTENER, DiscoveryService],
          useFactory: (
            keycloak: ComposedKeycloak,
            resolved: ResolvedKeycloakOptions,
            listener: unknown,
            discovery: DiscoveryService,
          ) => {
            refuseSecond(discovery);
            return noticesOf(keycloak, resolved, checkedListener(listener));
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
  if (count > 1) throw cantBeUsed([`it is imported ${count} times, with different options: import it once`]);
}

function noticesOf(
  { issuers, revocations }: ComposedKeycloak,
  resolved: ResolvedKeycloakOptions,
  listener: BackchannelLogoutListener,
): LogoutNotices {
  const log = objectLog('BackchannelLogout');
  const noticesOfIssuers = issuers.map(({ issuer, keySet }, at): IssuerNotices => {
    const { clientId = '' } = resolved.issuers[at] ?? {};
    const readKeys = keySet('logout_jwks').read;
    const keys = new SigningKeys(
      { readKeys, clock: systemClock, log: withFields(log, { issuer }) },
      { maxKeyAgeSeconds: MAX_KEY_AGE_SECONDS },
    );
    return {
      issuer,
      tokens: new LogoutTokens({ issuer, clientId }, keys, systemClock),
      rechecks: new RepeatedRechecks(() => revocations.recheck({ issuer })),
    };
  });
  return new LogoutNotices(noticesOfIssuers, revocations, listener, resolved.maxTokenBytes, log);
}

/** One object a line, which every logger takes. */
function objectLog(name: string): ComponentLog {
  const logger = new Logger(name);
  return {
    log: (message, fields) => logger.log({ message, ...fields }),
    warn: (message, fields) => logger.warn({ message, ...fields }),
    error: (message, fields) => logger.error({ message, ...fields }),
  };
}

import {
  Logger,
  Module,
  type DynamicModule,
  type FactoryProvider,
  type InjectionToken,
  type ModuleMetadata,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, DiscoveryModule, DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import { AuthorizationServerFetch } from '../authorization-server/authorization-server-fetch.js';
import { ClientAuthenticator } from '../authorization-server/client-authenticator.js';
import { AuthorizationServerHealth } from '../authorization-server/server-health.js';
import { StartVerification } from '../checkup/start-verification.service.js';
import { ClientCredentialsTokenProvider } from '../client/client-credentials-token-provider.js';
import { getServiceClientToken } from '../client/inject-service-client.decorator.js';
import { TokenExchangeClient } from '../client/token-exchange-client.js';
import { composeKeycloak, type ComposedKeycloak } from './compose-keycloak.js';
import type { ComponentLog } from '../resilience/component-log.js';
import { Network } from '../http/network.js';
import {
  ConfigurableModuleClass,
  KEYCLOAK,
  MODULE_OPTIONS_TOKEN,
  RESOLVED_OPTIONS,
  SHARED_STATE,
  type ASYNC_OPTIONS_TYPE,
  type OPTIONS_TYPE,
} from './keycloak.module-definition.js';
import { KeycloakStatus } from './keycloak-status.js';
import { KeycloakOptionsError } from '../options/option-kinds.js';
import {
  resolveKeycloakOptions,
  type AnyModuleOptions,
  type ResolvedKeycloakOptions,
} from '../options/keycloak.options.js';
import { protectedResourceController } from './protected-resource.controller.js';
import { AccessTokenVerifier } from '../resource-server/access-token-verifier.js';
import { Admission } from '../resource-server/admission.guard.js';
import { GatewayHandshakes } from '../resource-server/gateway-handshakes.discovery.js';
import { HandlerAccess } from '../resource-server/handler-access.js';
import { ObservingAdmission } from '../resource-server/observing-admission.guard.js';
import { KeycloakGuard } from '../resource-server/keycloak.guard.js';
import { KeycloakExceptionFilter } from '../resource-server/keycloak-exception.filter.js';
import { RouteReport } from '../resource-server/route-report.discovery.js';
import { RevocationList } from '../revocation/revocation-list.js';
import { SharedStateService } from './shared-state.service.js';
import { checkServiceNames, type ServiceOptions } from '../options/service.options.js';

const part = (provide: InjectionToken, name: keyof ComposedKeycloak): FactoryProvider => ({
  provide,
  inject: [KEYCLOAK],
  useFactory: (keycloak: ComposedKeycloak) => keycloak[name],
});

const PARTS = [
  part(RevocationList, 'revocations'),
  part(ClientCredentialsTokenProvider, 'clientCredentials'),
  part(TokenExchangeClient, 'tokenExchange'),
  part(AuthorizationServerFetch, 'fetch'),
  part(ClientAuthenticator, 'authenticator'),
  part(AuthorizationServerHealth, 'health'),
  part(AccessTokenVerifier, 'verifier'),
  part(KeycloakStatus, 'status'),
];

/** Writes each line as one object, because some loggers drop a second argument. */
function objectLog(name: string): ComponentLog {
  const logger = new Logger(name);
  return {
    log: (message, fields) => logger.log({ message, ...fields }),
    warn: (message, fields) => logger.warn({ message, ...fields }),
    error: (message, fields) => logger.error({ message, ...fields }),
  };
}

export type ServiceRegistration = { readonly name: string } & (
  | ServiceOptions
  | (Pick<FactoryProvider<ServiceOptions | Promise<ServiceOptions>>, 'inject' | 'useFactory'> &
      Pick<ModuleMetadata, 'imports'>)
);

/**
 * Import the module once in the root module, with `forRoot` or `forRootAsync`. Every route is closed until a decorator
 * grants access.
 *
 * The start does NOT wait for the authorization server, unless `verifyAtStart` is true.
 */
@Module({
  imports: [DiscoveryModule],
  providers: [
    {
      provide: RESOLVED_OPTIONS,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (given: AnyModuleOptions) => resolveKeycloakOptions(given),
    },
    { provide: Network, useFactory: () => new Network(objectLog('Network')) },
    {
      provide: KEYCLOAK,
      inject: [MODULE_OPTIONS_TOKEN, Network, DiscoveryService],
      useFactory: (given: AnyModuleOptions, network: Network, discovery: DiscoveryService) => {
        refuseSecond(discovery);
        return composeKeycloak(given, { network, loggers: objectLog });
      },
    },
    ...PARTS,
    {
      provide: Admission,
      inject: [KEYCLOAK, RESOLVED_OPTIONS, KeycloakExceptionFilter],
      useFactory: (
        { verifier, connections, judgements, loggers }: ComposedKeycloak,
        options: ResolvedKeycloakOptions,
        refusals: KeycloakExceptionFilter,
      ) =>
        judgements === undefined
          ? new Admission(verifier, options, refusals, connections)
          : new ObservingAdmission(verifier, options, judgements, loggers('Enforcement')),
    },
    KeycloakGuard,
    { provide: APP_GUARD, useExisting: KeycloakGuard },
    {
      provide: HandlerAccess,
      inject: [RESOLVED_OPTIONS],
      useFactory: (options: ResolvedKeycloakOptions) => new HandlerAccess(options),
    },
    {
      provide: KeycloakExceptionFilter,
      inject: [RESOLVED_OPTIONS, HandlerAccess, HttpAdapterHost],
      useFactory: (options: ResolvedKeycloakOptions, handlers: HandlerAccess, adapterHost: HttpAdapterHost) =>
        new KeycloakExceptionFilter({ ...options, realm: options.clientId, handlers }, adapterHost),
    },
    { provide: APP_FILTER, useExisting: KeycloakExceptionFilter },
    {
      provide: StartVerification,
      inject: [KEYCLOAK, RESOLVED_OPTIONS],
      useFactory: ({ issuers }: ComposedKeycloak, { verifyAtStart }: ResolvedKeycloakOptions) =>
        new StartVerification(
          issuers.map(({ checkup }) => checkup),
          verifyAtStart,
        ),
    },
    {
      provide: SHARED_STATE,
      inject: [KEYCLOAK],
      useFactory: ({ sharing, shared }: ComposedKeycloak) => new SharedStateService(sharing, shared),
    },
    {
      provide: RouteReport,
      inject: [DiscoveryService, GatewayHandshakes, RESOLVED_OPTIONS, KEYCLOAK],
      useFactory: (
        discovery: DiscoveryService,
        handshakes: GatewayHandshakes,
        options: ResolvedKeycloakOptions,
        { judgements }: ComposedKeycloak,
      ) => new RouteReport(discovery, handshakes, options, judgements?.faults),
    },
    {
      provide: GatewayHandshakes,
      inject: [DiscoveryService, KEYCLOAK, RESOLVED_OPTIONS, KeycloakExceptionFilter, HttpAdapterHost],
      useFactory: (
        discovery: DiscoveryService,
        { verifier, connections, judgements }: ComposedKeycloak,
        options: ResolvedKeycloakOptions,
        refusals: KeycloakExceptionFilter,
        adapterHost: HttpAdapterHost,
      ) => new GatewayHandshakes(discovery, verifier, options, refusals, connections, adapterHost, judgements),
    },
  ],
  exports: [
    KEYCLOAK,
    Network,
    ...PARTS.map(({ provide }) => provide),
    Admission,
    KeycloakGuard,
    KeycloakExceptionFilter,
    GatewayHandshakes,
    HandlerAccess,
  ],
})
export class KeycloakModule extends ConfigurableModuleClass {
  /** Throws `KeycloakOptionsError`, which lists every invalid option. */
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    // Undefined options are treated as `{}`, so that the error lists each missing option.
    return withController(super.forRoot((options as typeof options | undefined) ?? ({} as typeof options)));
  }

  /**
   * Creates the module as `forRoot` does, with options from `useFactory`, `useClass` or `useExisting`
   * (`createKeycloakOptions()`).
   */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    const { useFactory, useClass, useExisting } = Object(options) as Partial<typeof options>;
    if ((useFactory ?? useClass ?? useExisting) === undefined) {
      throw new KeycloakOptionsError('KeycloakModule.forRootAsync', [
        'useFactory, useClass or useExisting must be given',
      ]);
    }
    return withController(super.forRootAsync(options));
  }

  /** Lets the importing module inject the `ServiceClient` of each service with `@InjectServiceClient(name)`. */
  static forFeature(services: readonly ServiceRegistration[]): DynamicModule {
    checkServiceNames(services.map(({ name }) => name));
    const providers = services.flatMap(serviceProviders);
    const imports = services.flatMap((service) => ('useFactory' in service ? (service.imports ?? []) : []));
    return {
      module: ServiceClients,
      imports,
      providers,
      exports: services.map(({ name }) => getServiceClientToken(name)),
    };
  }
}

/**
 * With a second `KeycloakModule`, a request would have to pass two guards. The check compares the descriptions of
 * injection tokens, so it also finds a module of another copy of this package.
 */
function refuseSecond(discovery: DiscoveryService): void {
  const isOne = (token: unknown): boolean => typeof token === 'symbol' && token.description === KEYCLOAK.description;
  const count = discovery.getProviders().filter(({ token }) => isOne(token)).length;
  if (count <= 1) return;
  throw new KeycloakOptionsError('KeycloakModule.forRoot', [
    `it is imported ${count} times. Call forRoot or forRootAsync once, in the root module. Check for a second copy of the package (npm ls nestjs-keycloak-s2s). For several issuers, use the option issuers`,
  ]);
}

const withController = (module: DynamicModule): DynamicModule => ({
  ...module,
  controllers: [protectedResourceController()],
});

@Module({})
class ServiceClients {}

function serviceProviders(registration: ServiceRegistration): FactoryProvider[] {
  const { name } = registration;
  const given = Symbol(`nestjs-keycloak-s2s:service-options:${name}`);
  const options =
    'useFactory' in registration
      ? { inject: registration.inject ?? [], useFactory: registration.useFactory }
      : { inject: [], useFactory: (): ServiceOptions => registration };
  return [
    { provide: given, ...options },
    {
      provide: getServiceClientToken(name),
      inject: [given, KEYCLOAK],
      useFactory: (service: ServiceOptions, keycloak: ComposedKeycloak) => keycloak.service(name, service),
    },
  ];
}

/** KeycloakModule: the wiring, and nothing else. */
import { Logger, Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, DiscoveryModule, DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import { AuthorizationServerFetch } from './authorization-server/authorization-server-fetch.js';
import { CachedIntrospection } from './authorization-server/cached-introspection.js';
import {
  createAuthorizationServer,
  type CircuitListener,
  type AuthorizationServerCalls,
} from './authorization-server/create-authorization-server.js';
import { AuthorizationServerHealth } from './authorization-server/server-health.js';
import { systemClock } from './caching/clock.js';
import { ClientCredentialsTokenProvider } from './client/client-credentials-token-provider.js';
import { getServiceClientToken } from './client/inject-service-client.decorator.js';
import { ServiceClient } from './client/service-client.js';
import { ServiceTransport } from './client/service-transport.js';
import { TokenExchangeClient } from './client/token-exchange-client.js';
import { TokenSource } from './client/token-source.js';
import { TokenSourceLog } from './client/token-source-log.js';
import { Network } from './http/network.js';
import { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, RESOLVED_OPTIONS } from './keycloak.module-definition.js';
import {
  checkServiceNames,
  resolveKeycloakOptions,
  resolveServiceOptions,
  type KeycloakModuleOptions,
  type ResolvedKeycloakOptions,
  type ServiceOptions,
} from './keycloak.options.js';
import { isCompactJws } from './protocol/token-form.js';
import type { CircuitState } from './resilience/call-policy.js';
import { AccessTokenVerifier, makeAccessTokenVerifier } from './resource-server/access-token-verifier.js';
import { IntrospectionGuard } from './resource-server/introspection.guard.js';
import { RefusalFilter } from './resource-server/refusal.filter.js';
import { RouteReport } from './resource-server/route-report.discovery.js';
import { RevocationList } from './revocation/revocation-list.js';

const SERVER = Symbol('nestjs-keycloak-s2s:authorization-server');

/** A service to call: its options given at once, or made by a factory from what is injected. */
export type ServiceRegistration = { readonly name: string } & (
  ServiceOptions | Pick<FactoryProvider<ServiceOptions | Promise<ServiceOptions>>, 'inject' | 'useFactory'>
);

/**
 * `forRoot` (or `forRootAsync`), once in the root module, closes every route of the application until a decorator opens
 * it, and makes the token providers and the `RevocationList` injectable everywhere. `forFeature` adds a `ServiceClient` per service to call.
 *
 * It does NOT contact the authorization server at boot: that is done on first need, and `AuthorizationServerHealth`
 * tells whether it can be. Faulty options throw `KeycloakOptionsError` at boot.
 */
@Module({
  imports: [DiscoveryModule],
  providers: [
    {
      provide: RESOLVED_OPTIONS,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (given: KeycloakModuleOptions) => resolveKeycloakOptions(given),
    },
    { provide: Network, useFactory: () => new Network() },
    {
      provide: SERVER,
      inject: [RESOLVED_OPTIONS, MODULE_OPTIONS_TOKEN, Network],
      useFactory: (options: ResolvedKeycloakOptions, { clientSecret }: KeycloakModuleOptions, network: Network) =>
        createAuthorizationServer({ ...options, clientSecret }, systemClock, reportServerCircuit, network),
    },
    {
      provide: RevocationList,
      inject: [RESOLVED_OPTIONS],
      useFactory: (options: ResolvedKeycloakOptions) =>
        new RevocationList(options, systemClock, new Logger('RevocationList')),
    },
    {
      provide: TokenSource,
      inject: [SERVER, RESOLVED_OPTIONS, RevocationList],
      useFactory: (
        { tokenEndpoint }: AuthorizationServerCalls,
        options: ResolvedKeycloakOptions,
        revocations: RevocationList,
      ) =>
        new TokenSource(
          tokenEndpoint,
          options,
          systemClock,
          new TokenSourceLog(new Logger('TokenSource')),
          revocations,
        ),
    },
    {
      provide: ClientCredentialsTokenProvider,
      inject: [TokenSource],
      useFactory: (tokens: TokenSource) => new ClientCredentialsTokenProvider(tokens),
    },
    {
      provide: TokenExchangeClient,
      inject: [TokenSource],
      useFactory: (tokens: TokenSource) => new TokenExchangeClient(tokens),
    },
    {
      provide: AuthorizationServerFetch,
      inject: [SERVER],
      useFactory: ({ fetch }: AuthorizationServerCalls) => fetch,
    },
    {
      provide: AuthorizationServerHealth,
      inject: [SERVER],
      useFactory: ({ metadata }: AuthorizationServerCalls) => new AuthorizationServerHealth(metadata, systemClock),
    },
    {
      provide: CachedIntrospection,
      inject: [SERVER, TokenSource, RESOLVED_OPTIONS],
      useFactory: (
        { introspection }: AuthorizationServerCalls,
        tokens: TokenSource,
        options: ResolvedKeycloakOptions,
      ) => new CachedIntrospection(introspection, options, systemClock, (hash) => tokens.dropExchangedFrom(hash)),
    },
    {
      provide: AccessTokenVerifier,
      inject: [CachedIntrospection, RESOLVED_OPTIONS, RevocationList],
      useFactory: (introspection: CachedIntrospection, options: ResolvedKeycloakOptions, revocations: RevocationList) =>
        makeAccessTokenVerifier(
          introspection,
          // What Keycloak's access tokens look like.
          { ...options, audience: options.clientId, tokenForm: isCompactJws },
          systemClock,
          revocations,
        ),
    },
    {
      provide: IntrospectionGuard,
      inject: [AccessTokenVerifier, RESOLVED_OPTIONS],
      useFactory: (verifier: AccessTokenVerifier, { maxTokenBytes }: ResolvedKeycloakOptions) =>
        new IntrospectionGuard(verifier, maxTokenBytes),
    },
    { provide: APP_GUARD, useExisting: IntrospectionGuard },
    {
      provide: RefusalFilter,
      inject: [RESOLVED_OPTIONS, HttpAdapterHost],
      useFactory: (options: ResolvedKeycloakOptions, adapterHost: HttpAdapterHost) =>
        new RefusalFilter({ ...options, realm: options.clientId }, adapterHost),
    },
    { provide: APP_FILTER, useExisting: RefusalFilter },
    {
      provide: RouteReport,
      inject: [DiscoveryService],
      useFactory: (discovery: DiscoveryService) => new RouteReport(discovery),
    },
  ],
  exports: [
    RESOLVED_OPTIONS,
    Network,
    TokenSource,
    ClientCredentialsTokenProvider,
    TokenExchangeClient,
    AuthorizationServerFetch,
    AuthorizationServerHealth,
    RevocationList,
    AccessTokenVerifier,
    IntrospectionGuard,
    RefusalFilter,
  ],
})
export class KeycloakModule extends ConfigurableModuleClass {
  /** Makes one `ServiceClient` per service injectable, in the module that imports this, by `@InjectServiceClient(name)`. */
  static forFeature(services: readonly ServiceRegistration[]): DynamicModule {
    checkServiceNames(services.map(({ name }) => name));
    const providers = services.flatMap(serviceProviders);
    return { module: ServiceClients, providers, exports: services.map(({ name }) => getServiceClientToken(name)) };
  }
}

const logger = new Logger('AuthorizationServer');

const serviceLogger = new Logger('ServiceClient');

function reportCircuit(log: Logger, state: CircuitState, fields: object): void {
  if (state === 'open') log.error('Circuit opened: calls are suspended', fields);
  else if (state === 'half-open') log.log('Circuit half-open: sending one trial call', fields);
  else log.log('Circuit closed: calls resumed', fields);
}

const reportServerCircuit: CircuitListener = (kind, state) => reportCircuit(logger, state, { kind });

/** The module behind `forFeature`; one instance per set of services. */
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
      inject: [given, RESOLVED_OPTIONS, TokenSource, Network],
      useFactory: (
        service: ServiceOptions,
        { allowInsecureRequests }: ResolvedKeycloakOptions,
        tokens: TokenSource,
        network: Network,
      ) => {
        const resolved = resolveServiceOptions(name, service, allowInsecureRequests);
        const transport = new ServiceTransport({ name, ...resolved }, network, systemClock, (state) =>
          reportCircuit(serviceLogger, state, { service: name }),
        );
        return new ServiceClient(name, resolved.audience, transport, tokens);
      },
    },
  ];
}

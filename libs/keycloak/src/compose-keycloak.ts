/** Compose Keycloak: every part of the library and how they depend on each other, in plain TypeScript. */
import type { AuthorizationServerFetch } from './authorization-server/authorization-server-fetch.js';
import type { ClientAuthenticator } from './authorization-server/client-authenticator.js';
import { CachedIntrospection } from './authorization-server/cached-introspection.js';
import { createAuthorizationServer } from './authorization-server/create-authorization-server.js';
import { junkToken } from './authorization-server/junk-token.js';
import { AuthorizationServerHealth } from './authorization-server/server-health.js';
import { systemClock, type Clock } from './caching/clock.js';
import { SharedLevel } from './caching/shared-level.js';
import { Checkup } from './checkup/checkup.js';
import { ClientCredentialsTokenProvider } from './client/client-credentials-token-provider.js';
import { CallObservation } from './client/call-observation.js';
import { ServiceClient } from './client/service-client.js';
import { ServiceTransport } from './client/service-transport.js';
import { StreamingServiceClient } from './client/streaming-service-client.js';
import { StreamingTransport } from './client/streaming-transport.js';
import { TokenExchangeClient } from './client/token-exchange-client.js';
import { TokenSource } from './client/token-source.js';
import { TokenSourceLog } from './client/token-source-log.js';
import { Network } from './http/network.js';
import { KeycloakStatus } from './keycloak-status.js';
import { resolveKeycloakOptions, type KeycloakModuleOptions } from './keycloak.options.js';
import { withoutSecrets } from './protocol/loggable-text.js';
import { TOKEN_PROFILES } from './protocol/token-profile.js';
import type { CircuitState } from './resilience/call-gate.js';
import { makeAccessTokenVerifier, type AccessTokenVerifier } from './resource-server/access-token-verifier.js';
import { HeldConnections } from './resource-server/held-connections.js';
import { DoubtedTokens } from './revocation/doubted-tokens.js';
import { HeldDenials } from './revocation/held-denials.js';
import { Rechecks } from './revocation/rechecks.js';
import { RevocationList } from './revocation/revocation-list.js';
import { RevocationSharing } from './revocation/revocation-sharing.js';
import { runsInProduction } from './production.js';
import { ServiceRegistry } from './service-registry.js';
import { resolveServiceOptions, type ServiceOptions, type ServiceOptionsDoor } from './service.options.js';

/** The part of Nest's `Logger` that is used. */
export type ComponentLog = Readonly<Record<'log' | 'warn' | 'error', (message: string, fields: object) => void>>;

export interface Surroundings {
  readonly clock?: Clock;
  readonly network?: Network;
  /** The log of each part, by its name. Default: none is written. */
  readonly loggers?: (part: string) => ComponentLog;
}

export interface ComposedKeycloak {
  readonly revocations: RevocationList;
  readonly sharing: RevocationSharing;
  readonly shared: SharedLevel | undefined;
  readonly tokens: TokenSource;
  readonly clientCredentials: ClientCredentialsTokenProvider;
  readonly tokenExchange: TokenExchangeClient;
  readonly fetch: AuthorizationServerFetch;
  readonly authenticator: ClientAuthenticator;
  readonly health: AuthorizationServerHealth;
  readonly verifier: AccessTokenVerifier;
  readonly connections: HeldConnections;
  readonly status: KeycloakStatus;
  /** Of all services that it makes a client of. */
  readonly calls: CallObservation;
  /** Where Keycloak is called. */
  readonly realmUrl: string;
  /** Of the services that were made until it runs, too. */
  readonly checkup: Checkup;
  /** A client of the service `name`. Throws `KeycloakOptionsError`. */
  readonly service: (name: string, options: ServiceOptions) => ServiceClient;
  /** The same with any body, for doors. Throws `KeycloakOptionsError`. */
  readonly streamingService: (name: string, options: object, door: ServiceOptionsDoor) => StreamingServiceClient;
}

/** Sends nothing yet. Throws `KeycloakOptionsError`, which lists every fault of `given`. */
export function composeKeycloak(
  given: KeycloakModuleOptions,
  { clock = systemClock, network = new Network(), loggers = () => SILENT }: Surroundings = {},
): ComposedKeycloak {
  const options = resolveKeycloakOptions(given);
  const profile = TOKEN_PROFILES[options.profile];
  const serverLog = loggers('AuthorizationServer');
  const clientAuthentication = options.clientAuthentication.connect({ clock, log: loggers('ClientAuthentication') });
  const server = createAuthorizationServer(
    { ...options, clientAuthentication },
    clock,
    (kind, state) => logCircuit(serverLog, 'Keycloak', state, { kind }),
    network,
  );
  const revocationLog = loggers('RevocationList');
  const denials = new HeldDenials(options, clock, revocationLog);
  const rechecks = new Rechecks(options.introspectionTtlSeconds * 1000, clock, profile);
  const revocations = new RevocationList(options, clock, revocationLog, denials, rechecks);
  options.sharedCache?.check(options);
  const sharedLog = loggers('SharedCache');
  const cache = options.sharedCache?.connect(options);
  const shared =
    cache &&
    new SharedLevel(cache, clock, (reason) =>
      sharedLog.error('The shared cache does not answer: Keycloak is asked for what other replicas may have', {
        reason,
      }),
    );
  const tokenLog = new TokenSourceLog(loggers('TokenSource'));
  const tokens = new TokenSource(server.tokenEndpoint, options, clock, tokenLog, revocations, shared);
  const jwts = options.jwt && {
    signatures: options.jwt.connect({
      issuer: options.issuer,
      readKeys: server.keySet().read,
      clock,
      log: loggers('JwtVerification'),
    }),
    doubts: new DoubtedTokens(options, clock, profile),
  };
  rechecks.onRequired((recheck, at) => jwts?.doubts.add(recheck, at));
  const sharingLog = loggers('RevocationSharing');
  const sharing = new RevocationSharing(denials, rechecks, options, clock, sharingLog, jwts?.doubts);
  const introspection = new CachedIntrospection(
    server.introspection,
    options,
    clock,
    (hash) => tokens.dropExchangedFrom(hash),
    rechecks,
    shared,
  );
  const verifierOptions = {
    ...options,
    audience: options.clientId,
    profile,
    clockSkew: server.clockSkew,
  };
  const serviceLog = loggers('ServiceClient');
  const logCircuitOf =
    (service: string) =>
    (state: CircuitState): void =>
      logCircuit(serviceLog, service, state, { called: service });
  const { allowInsecureRequests } = options;
  const registry = new ServiceRegistry(network);
  const calls = new CallObservation(clock);
  return {
    revocations,
    sharing,
    shared,
    tokens,
    clientCredentials: new ClientCredentialsTokenProvider(tokens),
    tokenExchange: new TokenExchangeClient(tokens),
    fetch: server.fetch,
    authenticator: server.authenticator,
    calls,
    realmUrl: options.realmUrl,
    health: new AuthorizationServerHealth(
      server.metadata,
      server.introspection,
      clock,
      async () => jwts?.signatures.ready(),
      () => junkToken(options.profile),
    ),
    status: new KeycloakStatus(() => {
      const { active, inactive } = introspection.sizes;
      return {
        authorizationServer: server.calls(),
        services: registry.states(),
        caches: {
          introspections: active,
          inactiveIntrospections: inactive,
          verifiedJwts: jwts?.signatures.size ?? 0,
          tokens: tokens.size,
          revocations: revocations.size,
        },
        revocationChannel: sharing.status,
      };
    }),
    checkup: new Checkup({
      ...server,
      options,
      services: () => registry.services,
      credential: () => server.authenticator.credential().catch(() => undefined),
      cleanse: (sentence) => withoutSecrets(sentence, server.authenticator.secrets),
      isProduction: runsInProduction(),
      proxy: network.proxyLabel(options.realmUrl),
    }),
    connections: new HeldConnections(options, clock, revocations, loggers('Connections')),
    verifier: makeAccessTokenVerifier(introspection, verifierOptions, clock, revocations, jwts),
    service: (name, serviceOptions) => {
      const service = resolveServiceOptions(name, serviceOptions, allowInsecureRequests);
      const transport = new ServiceTransport({ name, ...service }, network, clock, logCircuitOf(name));
      const scopes = registry.add(name, service, transport);
      return new ServiceClient(name, service.audience, transport, tokens, scopes, calls);
    },
    streamingService: (name, serviceOptions, door) => {
      const service = resolveServiceOptions(name, serviceOptions as ServiceOptions, allowInsecureRequests, door);
      const transport = new StreamingTransport({ name, ...service }, network, clock, logCircuitOf(name));
      const scopes = registry.add(name, service, transport, ' (http)');
      return new StreamingServiceClient(name, service.audience, transport, tokens, scopes, calls);
    },
  };
}

const ignore = (): void => undefined;

const SILENT: ComponentLog = { log: ignore, warn: ignore, error: ignore };

function logCircuit(log: ComponentLog, target: string, state: CircuitState, fields: object): void {
  if (state === 'open') log.error(`Circuit opened: calls to ${target} are suspended`, fields);
  else if (state === 'half-open') log.log(`Circuit half-open: sending one trial call to ${target}`, fields);
  else log.log(`Circuit closed: calls to ${target} resumed`, fields);
}

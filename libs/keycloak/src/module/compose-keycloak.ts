import type { AuthorizationServerFetch } from '../authorization-server/authorization-server-fetch.js';
import type { ClientAuthenticator } from '../authorization-server/client-authenticator.js';
import type { AuthorizationServerHealth } from '../authorization-server/server-health.js';
import { systemClock, type Clock } from '../caching/clock.js';
import type { SharedLevel } from '../caching/shared-level.js';
import { ClientCredentialsTokenProvider } from '../client/client-credentials-token-provider.js';
import { CallObservation } from '../client/call-observation.js';
import { ServiceAudiences } from '../client/service-audiences.js';
import { ServiceClient } from '../client/service-client.js';
import { ServiceTransport } from '../client/service-transport.js';
import { TokenExchangeClient } from '../client/token-exchange-client.js';
import { TokenSources } from '../client/token-sources.js';
import { composeIssuer, type ComposedIssuer } from './compose-issuer.js';
import { logCircuit, SILENT, withFields, type ComponentLog } from '../resilience/component-log.js';
import { Network } from '../http/network.js';
import { KeycloakStatus, observing } from './keycloak-status.js';
import { resolveKeycloakOptions, type AnyModuleOptions } from '../options/keycloak.options.js';
import type { CircuitState } from '../resilience/call-gate.js';
import { makeAccessTokenVerifier, type AccessTokenVerifier } from '../resource-server/access-token-verifier.js';
import { ObservedJudgements } from '../resource-server/observed-judgements.js';
import { HeldConnections } from '../resource-server/held-connections.js';
import { RevocationList } from '../revocation/revocation-list.js';
import type { RevocationSharing } from '../revocation/revocation-sharing.js';
import { ServiceRegistry } from './service-registry.js';
import {
  resolveServiceOptions,
  type ServiceOptions,
  type ServiceOptionsEntryPoint,
} from '../options/service.options.js';

export interface Surroundings {
  readonly clock?: Clock;
  readonly network?: Network;
  readonly loggers?: (part: string) => ComponentLog;
}

export interface ComposedKeycloak {
  readonly issuers: readonly [ComposedIssuer, ...ComposedIssuer[]];
  readonly revocations: RevocationList;
  readonly sharing: readonly RevocationSharing[];
  readonly shared: readonly SharedLevel[];
  readonly tokens: TokenSources;
  readonly clientCredentials: ClientCredentialsTokenProvider;
  readonly tokenExchange: TokenExchangeClient;
  /** `fetch`, `authenticator` and `health` belong to the first issuer. */
  readonly fetch: AuthorizationServerFetch;
  readonly authenticator: ClientAuthenticator;
  readonly health: AuthorizationServerHealth;
  readonly loggers: (part: string) => ComponentLog;
  readonly verifier: AccessTokenVerifier;
  readonly connections: HeldConnections;
  readonly judgements: ObservedJudgements | undefined;
  readonly status: KeycloakStatus;
  readonly calls: CallObservation;
  readonly service: (name: string, options: object, entryPoint?: ServiceOptionsEntryPoint) => ServiceClient;
}

/**
 * Creates the parts of the library from the options, and sends no request. Throws `KeycloakOptionsError`, which lists
 * every fault.
 */
export function composeKeycloak(
  given: AnyModuleOptions,
  { clock = systemClock, network = new Network(), loggers = () => SILENT }: Surroundings = {},
): ComposedKeycloak {
  const options = resolveKeycloakOptions(given, clock.epochSeconds());
  const registry = new ServiceRegistry(network);
  const [own, ...others] = options.issuers;
  const issuerOf = (each: typeof own): ComposedIssuer => {
    const { issuer } = each;
    const logs = others.length === 0 ? loggers : (part: string) => withFields(loggers(part), { issuer });
    const services = () => registry.servicesAt(issuer);
    return composeIssuer({ ...options, ...each }, { clock, network, loggers: logs, services });
  };
  const issuers = [issuerOf(own), ...others.map(issuerOf)] as const;
  const revocations = new RevocationList(issuers);
  const tokens = new TokenSources(new Map(issuers.map((each) => [each.issuer, each.tokens])));
  const [{ fetch, authenticator, health }] = issuers;
  const calls = new CallObservation(clock);
  const { enforcement, observeUntil = '' } = options;
  const judgements =
    enforcement === 'observe' ? new ObservedJudgements(observeUntil, loggers('Enforcement')) : undefined;
  const serviceLog = loggers('ServiceClient');
  const logCircuitOf =
    (service: string) =>
    (state: CircuitState): void =>
      logCircuit(serviceLog, service, state, { called: service });
  return {
    issuers,
    loggers,
    revocations,
    sharing: issuers.map(({ sharing }) => sharing),
    shared: issuers.flatMap(({ shared }) => shared ?? []),
    tokens,
    clientCredentials: new ClientCredentialsTokenProvider(tokens),
    tokenExchange: new TokenExchangeClient(tokens),
    fetch,
    authenticator,
    health,
    calls,
    status: new KeycloakStatus(
      issuers,
      () => registry.states(),
      judgements && (() => observing(judgements, clock.epochSeconds())),
    ),
    judgements,
    connections: new HeldConnections(options, clock, revocations, loggers('Connections')),
    verifier: makeAccessTokenVerifier(
      [issuers[0].verifier, ...issuers.slice(1).map(({ verifier }) => verifier)],
      options,
      clock,
      revocations,
    ),
    service: (name, serviceOptions, entryPoint) => {
      const service = resolveServiceOptions(name, serviceOptions as ServiceOptions, options, entryPoint);
      const transport = new ServiceTransport({ name, ...service }, network, clock, logCircuitOf(name));
      const scopes = registry.add(name, service, transport, entryPoint && ' (http)');
      const audiences = new ServiceAudiences(name, service, others.length === 0);
      return new ServiceClient(name, audiences, transport, tokens, scopes, calls);
    },
  };
}

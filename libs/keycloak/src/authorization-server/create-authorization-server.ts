import type { Clock } from '../caching/clock.js';
import { Network, type TrustedAuthorities } from '../http/network.js';
import type { CallsState, CircuitState } from '../resilience/call-gate.js';
import { CallPolicy, type CallPolicyOptions } from '../resilience/call-policy.js';
import { AuthorizationServerFetch, type ApplicationCallKind } from './authorization-server-fetch.js';
import type { ConnectedClientAuthentication } from '../client-authentication/client-authentication.js';
import { ClientAuthenticator } from './client-authenticator.js';
import { ClockSkew } from './clock-skew.js';
import { Introspection } from './introspection.js';
import { KeySetEndpoint } from './key-set-endpoint.js';
import { ServerMetadata } from './metadata.js';
import { SERVER_CALL_RULES } from './server-call-rules.js';
import { OwnTokenProbe } from './own-token-probe.js';
import { OAuthClientContext, type OAuthClientOptions } from './oauth-client-context.js';
import { TokenEndpoint } from './token-endpoint.js';

export interface AuthorizationServerOptions extends OAuthClientOptions, CallPolicyOptions {
  readonly expectedDefaultScopes: readonly string[];
  readonly clientAuthentication: ConnectedClientAuthentication;
  readonly tls?: TrustedAuthorities;
}

/**
 * Requests for the keys of logout tokens have their own kind (`logout_jwks`), because anyone can send logout tokens.
 */
export type KeySetCallKind = 'jwks' | 'logout_jwks';

export type CallKind =
  | 'discovery'
  | 'introspection'
  | 'introspection_renewal'
  | 'token'
  | 'signals_token'
  | KeySetCallKind
  | 'checkup'
  | ApplicationCallKind;

export interface OtherClient {
  readonly clientId: string;
  readonly clientAuthentication: ConnectedClientAuthentication;
}

export interface SignalCalls {
  readonly fetch: AuthorizationServerFetch;
  readonly tokenEndpoint: Pick<TokenEndpoint, 'clientCredentials'>;
}

const RENEWALS = 0.2;

export type CircuitListener = (kind: CallKind, state: CircuitState) => void;

export interface AuthorizationServerCalls {
  readonly calls: () => Readonly<Record<string, CallsState>>;
  readonly metadata: ServerMetadata;
  readonly clockSkew: ClockSkew;
  readonly authenticator: ClientAuthenticator;
  readonly introspection: Introspection;
  readonly tokenEndpoint: TokenEndpoint;
  /** Call `keySet` once per kind, because each call creates a new bulkhead and a new circuit breaker. */
  readonly keySet: (kind: KeySetCallKind) => KeySetEndpoint;
  readonly signalCalls: (client?: OtherClient) => SignalCalls;
  readonly probe: OwnTokenProbe;
  readonly fetch: AuthorizationServerFetch;
}

/** Each kind of call has its own policy, so two kinds share neither slots nor a circuit breaker. */
export function createAuthorizationServer(
  options: AuthorizationServerOptions,
  clock: Clock,
  onCircuit: CircuitListener = () => undefined,
  network = new Network(),
): AuthorizationServerCalls {
  const connections = network.toAuthorizationServer(options);
  const clockSkew = new ClockSkew(clock);
  const authenticator = new ClientAuthenticator(options.clientAuthentication, options, clock, clockSkew);
  const context = new OAuthClientContext(options, connections, clockSkew, authenticator);
  const policies = new Map<CallKind, CallPolicy>();
  const policy = (kind: CallKind, maxConcurrentCalls = options.maxConcurrentCalls): CallPolicy => {
    const made = new CallPolicy({ ...options, maxConcurrentCalls }, SERVER_CALL_RULES, clock, (state) =>
      onCircuit(kind, state),
    );
    policies.set(kind, made);
    return made;
  };
  const forRenewals = Math.floor(options.maxConcurrentCalls * RENEWALS);
  const introspection = policy('introspection', options.maxConcurrentCalls - forRenewals);
  const renewal = forRenewals === 0 ? introspection : policy('introspection_renewal', forRenewals);
  const metadata = new ServerMetadata(context, policy('discovery'));
  const tokenEndpoint = new TokenEndpoint(context, metadata, policy('token'), options.expectedDefaultScopes, clock);
  const tokenEndpointOf = ({ clientId, clientAuthentication }: OtherClient): TokenEndpoint => {
    const others = { ...options, clientId };
    const credentials = new ClientAuthenticator(clientAuthentication, others, clock, clockSkew);
    const their = new OAuthClientContext(others, connections, clockSkew, credentials);
    return new TokenEndpoint(their, metadata, policy('signals_token'), options.expectedDefaultScopes, clock);
  };
  return {
    calls: () => Object.fromEntries([...policies].map(([kind, { state }]) => [kind, state])),
    metadata,
    clockSkew,
    authenticator,
    introspection: new Introspection(context, metadata, introspection, renewal),
    fetch: new AuthorizationServerFetch(options, connections, (kind) => policy(kind)),
    signalCalls: (client) => ({
      fetch: new AuthorizationServerFetch(options, connections, (kind) => policy(kind), 'signals'),
      tokenEndpoint: client === undefined ? tokenEndpoint : tokenEndpointOf(client),
    }),
    keySet: (kind) => new KeySetEndpoint(connections, metadata, policy(kind), clockSkew),
    probe: new OwnTokenProbe(context, metadata, policy('checkup'), clock),
    tokenEndpoint,
  };
}

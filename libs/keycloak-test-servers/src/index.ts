/** Keycloak and its embedded replacement, for specs and scripts only. */
export { KeycloakUnavailableError } from './real/keycloak-unavailable-error.js';
export { freePort } from './free-port.js';
export { startAuthorizationServer } from './embedded/start-authorization-server.js';
export { startFaultProxy } from './fault-proxy/start-fault-proxy.js';
export { startKeycloak } from './real/start-keycloak.js';
export { startTestServer } from './start-test-server.js';
export { startSharedServer, stopSharedServer } from './runners/shared-server.js';
export { testServer } from './runners/test-server.js';

export type { CertifiedKey, KeycloakKind, RunningKeycloak, StartKeycloakOptions } from './real/start-keycloak.js';
export type { RunningServer, ServerKind } from './running-server.js';
export type { RealmEnvironment, StartServerOptions } from './start-server-options.js';
export type { ServerChoice } from './server-choice.js';
export type { TestServer } from './runners/test-server.js';
export type { CallCounter, CallCounts, CountedEndpoint, CountedGrant } from './embedded/http/call-counter.js';
export type { AdjustableClock } from './embedded/state/adjustable-clock.js';
export type {
  Fault,
  FaultInAnswer,
  FaultInPlaceOfAnswer,
  FaultyEndpoint,
  LiteralAnswer,
} from './embedded/http/fault.js';
export type { ReceivedRequest } from './embedded/http/last-requests.js';
export type { ConnectionFault } from './fault-proxy/connection-fault.js';
export type { RunningFaultProxy, StartFaultProxyOptions } from './fault-proxy/start-fault-proxy.js';
export type { TokenOverrides } from './embedded/state/forged-token.js';
export type { SecurityEvent } from './embedded/streams/security-event-token.js';
export type { AboutLogout, AuthorizationServerControl } from './embedded/server-control.js';
export type {
  RunningAuthorizationServer,
  StartAuthorizationServerOptions,
} from './embedded/start-authorization-server.js';

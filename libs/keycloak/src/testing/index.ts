/** The second door of nestjs-keycloak-s2s, for specs and scripts only. */
export { KeycloakUnavailableError } from './keycloak-unavailable-error.js';
export { startAuthorizationServer } from './authorization-server/start-authorization-server.js';
export { startFaultProxy } from './fault-proxy/start-fault-proxy.js';
export { startKeycloak } from './start-keycloak.js';
export { testAccessToken } from './test-access-token.js';
export { TokenLeakError } from './token-leaks/token-leak-error.js';
export { TokenLeakScanner } from './token-leaks/token-leak-scanner.js';

export type { KeycloakKind, RunningKeycloak, StartKeycloakOptions } from './start-keycloak.js';
export type { TestAccessTokenOptions } from './test-access-token.js';
export type { CallCounter, CallCounts, CountedEndpoint, CountedGrant } from './authorization-server/call-counter.js';
export type { AdjustableClock } from './authorization-server/adjustable-clock.js';
export type {
  Fault,
  FaultInAnswer,
  FaultInPlaceOfAnswer,
  FaultyEndpoint,
  LiteralAnswer,
} from './authorization-server/fault.js';
export type { ReceivedRequest } from './authorization-server/last-requests.js';
export type { ConnectionFault } from './fault-proxy/connection-fault.js';
export type { RunningFaultProxy, StartFaultProxyOptions } from './fault-proxy/start-fault-proxy.js';
export type { BentLogoutToken } from './authorization-server/logout-token.js';
export type { AboutLogout, AuthorizationServerControl } from './authorization-server/server-control.js';
export type {
  RunningAuthorizationServer,
  StartAuthorizationServerOptions,
} from './authorization-server/start-authorization-server.js';
export type { LeakedExtent, TokenKind } from './token-leaks/known-tokens.js';
export type { Encoding } from './token-leaks/text-views.js';
export type { TokenDoor } from './token-leaks/token-door.js';
export type { TokenLeak, TokenLeakForm } from './token-leaks/token-leak-error.js';
export type { SightOptions } from './token-leaks/sight.js';

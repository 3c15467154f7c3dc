/** The second door of nestjs-keycloak-s2s, for specs and scripts only. */
export { KeycloakUnavailableError } from './keycloak-unavailable-error.js';
export { startAuthorizationServer } from './authorization-server/start-authorization-server.js';
export { startFaultProxy } from './fault-proxy/start-fault-proxy.js';
export { startKeycloak } from './start-keycloak.js';
export { startTestServer } from './start-test-server.js';
export { testAccessToken } from './test-access-token.js';
export { testServer } from './test-server.js';
export { TokenLeakError } from './token-leaks/token-leak-error.js';
export { TokenLeakScanner } from './token-leaks/token-leak-scanner.js';
export { signIn, signOut, testAuthorizationServer, testServices } from './without-server/application-under-test.js';
export { KeycloakTestingModule } from './without-server/keycloak-testing.module.js';

export type { KeycloakKind, RunningKeycloak, StartKeycloakOptions } from './start-keycloak.js';
export type { RunningServer, ServerKind } from './running-server.js';
export type { RealmEnvironment, StartServerOptions } from './start-server-options.js';
export type { ServerChoice } from './start-test-server.js';
export type { TestServer } from './test-server.js';
export type { TestAccessTokenOptions } from './test-access-token.js';
export type { ApplicationUnderTest } from './without-server/application-under-test.js';
export type { NetworkFault } from './without-server/answering-connections.js';
export type { OverridableBuilder } from './without-server/keycloak-testing.module.js';
export type { TestAuthorizationServer } from './without-server/test-authorization-server.js';
export type { TestServiceMethod, TestServiceReply, TestServiceRoute } from './without-server/test-service-route.js';
export type { TestServiceCall } from './without-server/test-service-call.js';
export type { TestServices } from './without-server/test-services.js';
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

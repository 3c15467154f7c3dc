/**
 * nestjs-keycloak-s2s/testing, for specs only: test tokens, a module without a server, a token leak scanner.
 *
 * @packageDocumentation
 * @category Core
 */
export { testAccessToken } from './test-access-token.js';
export { TokenLeakError } from './token-leaks/token-leak-error.js';
export { TokenLeakScanner } from './token-leaks/token-leak-scanner.js';
export { signIn, signOut, testAuthorizationServer, testServices } from './in-memory/application-under-test.js';
export { KeycloakTestingModule } from './in-memory/keycloak-testing.module.js';

export type { TestAccessTokenOptions } from './test-access-token.js';
export type { ApplicationUnderTest } from './in-memory/application-under-test.js';
export type { NetworkFault } from './in-memory/in-memory-connections.js';
export type { OverridableBuilder } from './in-memory/keycloak-testing.module.js';
export type { TestAuthorizationServer } from './in-memory/test-authorization-server.js';
export type { TestServiceMethod, TestServiceReply, TestServiceRoute } from './in-memory/test-service-route.js';
export type { TestServiceCall } from './in-memory/test-service-call.js';
export type { TestServices } from './in-memory/test-services.js';
export type { LeakedExtent, TokenKind } from './token-leaks/known-tokens.js';
export type { Encoding } from './token-leaks/text-views.js';
export type { TokenProxy } from './token-leaks/token-proxy.js';
export type { TokenLeak, TokenLeakForm } from './token-leaks/token-leak-error.js';
export type { InspectOptions } from './token-leaks/observed-text.js';

/** The second door of nestjs-keycloak-s2s, for specs and scripts only. */
export { KeycloakUnavailableError } from './keycloak-unavailable-error.js';
export { startKeycloak } from './start-keycloak.js';
export { testAccessToken } from './test-access-token.js';

export type { KeycloakKind, RunningKeycloak, StartKeycloakOptions } from './start-keycloak.js';
export type { TestAccessTokenOptions } from './test-access-token.js';

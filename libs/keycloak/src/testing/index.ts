/** The second door of nestjs-keycloak-s2s, for specs and scripts only. */
export { testAccessToken } from './test-access-token.js';

export type { TestAccessTokenOptions } from './test-access-token.js';

/**
 * Security and refusals in OpenAPI documents, over `@nestjs/swagger`.
 *
 * @packageDocumentation
 * @category Supported
 */
export { addKeycloakSecurity } from './keycloak-security.discovery.js';

export type { DocumentedRoutesOptions } from './documented-routes.discovery.js';
export type { KeycloakSecurityOptions } from './keycloak-security.discovery.js';
